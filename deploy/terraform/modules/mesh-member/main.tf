# What the mesh account has for one account of the mesh. Its roles trust the account's roles
# by name, and IAM refuses to trust a role that is not there: apply the module "member" in the
# account first.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  producer = var.account_type != "consumer"
  consumer = var.account_type != "producer"
  ends     = local.producer && var.end_schedules
  kms_keys = sort(distinct(var.kms_keys))

  policy_variables = {
    partition        = data.aws_partition.current.partition
    region           = data.aws_region.current.region
    mesh_account_id  = data.aws_caller_identity.current.account_id
    account_id       = var.account_id
    kms_keys         = local.kms_keys
    kms_services     = sort(distinct([for key in local.kms_keys : "s3.${split(":", key)[3]}.amazonaws.com"]))
    through_services = var.sharing_calls == "through-services"
    end_schedules    = var.end_schedules
  }

  roles = merge(
    local.producer ? {
      DataMeshAdminProducer = "Acts in the data mesh for producer ${var.account_id}"
      # Lake Formation reads the producer's data as this role, for everybody who was granted it.
      DataMeshDataAccess = "Lake Formation reads the data of producer ${var.account_id} as this role"
    } : {},
    local.consumer ? { DataMeshAdminConsumer = "Acts in the data mesh for consumer ${var.account_id}" } : {},
    local.ends ? { DataMeshEnding = "EventBridge Scheduler ends grants of producer ${var.account_id} as this role" } : {},
  )
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${each.key}-${var.account_id}"
  path                 = "/AwsDataMesh/"
  description          = each.value
  assume_role_policy   = local.policies["${each.key}.trust"]
  permissions_boundary = var.permissions_boundary_arn
  tags                 = merge(var.tags, { Solution = "DataMeshUtils" })

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = data.aws_caller_identity.current.account_id != var.account_id
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

# What could not be ended, for as long as SQS keeps anything.
resource "aws_sqs_queue" "ends" {
  count = local.ends ? 1 : 0

  name                       = "lakemesh-ends-${var.account_id}"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 0
  sqs_managed_sse_enabled    = true

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_sqs_queue_policy" "ends" {
  count = local.ends ? 1 : 0

  queue_url = aws_sqs_queue.ends[0].url
  policy    = local.policies["lakemesh-ends.policy"]
}
