mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "555555555555" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  account_id   = "111111111111"
  account_type = "both"
}

run "both" {
  command = plan

  assert {
    condition     = toset([for role in aws_iam_role.this : role.name]) == toset(["DataMeshAdminProducer-111111111111", "DataMeshDataAccess-111111111111", "DataMeshAdminConsumer-111111111111"])
    error_message = "It has the roles of a producer and of a consumer."
  }

  assert {
    condition     = length(aws_sqs_queue.ends) == 0
    error_message = "Schedules end nothing unless somebody says so."
  }
}

run "consumer" {
  command = plan

  variables {
    account_type  = "consumer"
    end_schedules = true
  }

  assert {
    condition     = keys(aws_iam_role.this) == ["DataMeshAdminConsumer"] && length(aws_sqs_queue.ends) == 0
    error_message = "A consumer has nothing that ends."
  }
}

run "keys" {
  command = plan

  variables {
    account_type = "producer"
    kms_keys     = ["arn:aws:kms:us-east-1:111111111111:key/b", "arn:aws:kms:eu-west-1:111111111111:key/a"]
  }

  assert {
    condition     = strcontains(local.policies["DataMeshDataAccess.policy"], jsonencode(["s3.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]))
    error_message = "The role decrypts through S3 of the keys' regions."
  }
}

run "wrong" {
  command = plan

  variables {
    account_id    = "x"
    sharing_calls = "both"
    kms_keys      = ["alias/data"]
  }

  expect_failures = [var.account_id, var.sharing_calls, var.kms_keys]
}

run "the_mesh_itself" {
  command = plan

  variables {
    account_id = "555555555555"
  }

  expect_failures = [aws_iam_role.this]
}
