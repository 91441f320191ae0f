# The mesh account: the roles that administer it and see its public products, and the
# tables. Data lake settings, LF-tags and grants are not in here: "lakemesh mesh init"
# reads what is there and makes what is missing.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  policy_variables = {
    partition       = data.aws_partition.current.partition
    mesh_account_id = data.aws_caller_identity.current.account_id
  }

  roles = {
    DataMeshManager       = "Administers the data mesh"
    DataMeshAdminReadOnly = "Sees the metadata of the data mesh's public products"
  }

  tags = merge(var.tags, { Solution = "DataMeshUtils" })
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = each.key
  path                 = "/AwsDataMesh/"
  description          = each.value
  assume_role_policy   = local.policies["${each.key}.trust"]
  permissions_boundary = var.permissions_boundary_arn
  tags                 = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name   = "lakemesh"
  role   = aws_iam_role.this[each.key].name
  policy = local.policies["${each.key}.policy"]
}

# What consumers say, and a mirror of what owners decide.
resource "aws_dynamodb_table" "subscriptions" {
  #checkov:skip=CKV_AWS_119:Under a customer's key every role of every account would need the right to use it
  name                        = "AwsDataMeshSubscriptions"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "SubscriptionId"
  deletion_protection_enabled = true
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  tags                        = { Solution = "DataMeshUtils" }

  attribute {
    name = "SubscriptionId"
    type = "S"
  }

  attribute {
    name = "OwnerPrincipal"
    type = "S"
  }

  attribute {
    name = "Status"
    type = "S"
  }

  attribute {
    name = "SubscriberPrincipal"
    type = "S"
  }

  global_secondary_index {
    name            = "AwsDataMeshSubscriptions-Owner"
    hash_key        = "OwnerPrincipal"
    range_key       = "Status"
    projection_type = "ALL"
  }

  global_secondary_index {
    name            = "AwsDataMeshSubscriptions-Subscriber"
    hash_key        = "SubscriberPrincipal"
    projection_type = "ALL"
  }

  point_in_time_recovery {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

# What owners decide. Consumers cannot write it.
resource "aws_dynamodb_table" "decisions" {
  #checkov:skip=CKV_AWS_119:Under a customer's key every role of every account would need the right to use it
  name                        = "AwsDataMeshDecisions"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "Key"
  deletion_protection_enabled = true
  tags                        = { Solution = "DataMeshUtils" }

  attribute {
    name = "Key"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

# The schedules in it are lakemesh's.
resource "aws_scheduler_schedule_group" "ends" {
  count = var.end_schedules ? 1 : 0

  name = "lakemesh-ends"

  lifecycle {
    prevent_destroy = true
  }
}
