# The mesh account with its half of every account. In each of these accounts the module
# modules/member comes first.

module "mesh" {
  source = "./modules/mesh"

  end_schedules            = var.end_schedules
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

module "member" {
  source   = "./modules/mesh-member"
  for_each = var.members

  account_id               = each.key
  account_type             = each.value.account_type
  kms_keys                 = each.value.kms_keys
  sharing_calls            = var.sharing_calls
  end_schedules            = var.end_schedules
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
