variable "mesh_account_id" {
  description = "The mesh account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.mesh_account_id))
    error_message = "An account has twelve digits."
  }
}

variable "account_type" {
  description = "What the account becomes: producer, consumer or both."
  type        = string

  validation {
    condition     = contains(["producer", "consumer", "both"], var.account_type)
    error_message = "It is producer, consumer or both."
  }
}

variable "buckets" {
  description = "Of a producer, the names of the buckets whose policies it may write; none for every bucket of the account."
  type        = list(string)
  default     = []
}

variable "crawler_role_arn" {
  description = "Of a producer, a role of the account for Glue crawlers."
  type        = string
  default     = null
}

variable "key_policies" {
  description = "Of a producer, the ARNs of the account's keys whose policies it may write."
  type        = list(string)
  default     = []
}

variable "link_regions" {
  description = "Of a consumer, regions besides the mesh's in which it links to products. \"lakemesh account init --link-regions\" does the rest."
  type        = list(string)
  default     = []
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
