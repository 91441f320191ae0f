variable "account_id" {
  description = "The account for which this is."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account has twelve digits."
  }
}

variable "account_type" {
  description = "What the account is in the mesh: producer, consumer or both."
  type        = string

  validation {
    condition     = contains(["producer", "consumer", "both"], var.account_type)
    error_message = "It is producer, consumer or both."
  }
}

variable "kms_keys" {
  description = "Of a producer, the ARNs of the keys of KMS that its data is encrypted with."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for key in var.kms_keys : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", key))])
    error_message = "Each is the ARN of a key, and not of an alias."
  }
}

variable "sharing_calls" {
  description = "Who makes the calls by which Lake Formation shares. The same as \"lakemesh mesh init --sharing-calls\" was told."
  type        = string
  default     = "through-services"

  validation {
    condition     = contains(["through-services", "direct"], var.sharing_calls)
    error_message = "It is through-services or direct."
  }
}

variable "end_schedules" {
  description = "Whether schedules end what is granted until a day. The same as \"lakemesh mesh init --end-schedules\" was told."
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
