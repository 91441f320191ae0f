# An account of the mesh: the role with which its people offer data products, the one with
# which they ask for them, or both.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id

  policy_variables = {
    partition        = data.aws_partition.current.partition
    mesh_account_id  = var.mesh_account_id
    account_id       = local.account_id
    bucket_arns      = [for name in var.buckets : "arn:${data.aws_partition.current.partition}:s3:::${name}"]
    crawler_role_arn = var.crawler_role_arn
    key_policies     = sort(distinct(var.key_policies))
    link_regions     = sort(distinct(var.link_regions))
  }

  roles = merge(
    var.account_type == "consumer" ? {} : { DataMeshProducer = "Offers tables of this account as data products" },
    var.account_type == "producer" ? {} : { DataMeshConsumer = "Asks for data products and imports them into this account" },
  )
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = each.key
  path                 = "/AwsDataMesh/"
  description          = each.value
  assume_role_policy   = local.policies["${each.key}.trust"]
  permissions_boundary = var.permissions_boundary_arn
  tags                 = merge(var.tags, { Solution = "DataMeshUtils" })

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = local.account_id != var.mesh_account_id
      error_message = "This is the mesh account itself."
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name   = "lakemesh"
  role   = aws_iam_role.this[each.key].name
  policy = local.policies["${each.key}.policy"]
}
