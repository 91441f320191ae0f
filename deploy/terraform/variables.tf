variable "members" {
  description = "The accounts of the mesh by their ids: what each is, and the keys of KMS that its data is encrypted with."
  type = map(object({
    account_type = string
    kms_keys     = optional(list(string), [])
  }))
  default = {}
}

variable "sharing_calls" {
  description = "Who makes the calls by which Lake Formation shares: through-services or direct. Say the same to \"lakemesh mesh init --sharing-calls\"."
  type        = string
  default     = "through-services"
}

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
