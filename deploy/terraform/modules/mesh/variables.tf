variable "end_schedules" {
  description = "Whether schedules end what is granted until a day. Say the same to \"lakemesh mesh init --end-schedules\"."
  type        = bool
  default     = false
}

variable "permissions_boundary_arn" {
  description = "The ARN of a policy that bounds the roles. It must allow what the roles' own policies allow."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the roles, beside the mesh's own."
  type        = map(string)
  default     = {}
}
