mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111111111111" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  mesh_account_id = "555555555555"
  account_type    = "both"
}

run "both" {
  command = plan

  assert {
    condition     = toset(keys(aws_iam_role.this)) == toset(["DataMeshProducer", "DataMeshConsumer"])
    error_message = "It is a producer and a consumer."
  }

  assert {
    condition     = !strcontains(local.policies["DataMeshProducer.policy"], "kms:PutKeyPolicy") && !strcontains(local.policies["DataMeshProducer.policy"], "glue:CreateCrawler")
    error_message = "Nobody named keys or a role for crawlers."
  }
}

run "producer" {
  command = plan

  variables {
    account_type     = "producer"
    buckets          = ["flights"]
    crawler_role_arn = "arn:aws:iam::111111111111:role/Crawler"
  }

  assert {
    condition     = keys(aws_iam_role.this) == ["DataMeshProducer"]
    error_message = "It is a producer alone."
  }

  assert {
    condition     = strcontains(local.policies["DataMeshProducer.policy"], "\"arn:aws:s3:::flights\"") && !strcontains(local.policies["DataMeshProducer.policy"], "arn:aws:s3:::*")
    error_message = "It writes the policy of the bucket that was named, and of no other."
  }
}

run "wrong" {
  command = plan

  variables {
    mesh_account_id = "5555"
    account_type    = "reader"
  }

  expect_failures = [var.mesh_account_id, var.account_type]
}

run "the_mesh_itself" {
  command = plan

  variables {
    mesh_account_id = "111111111111"
  }

  expect_failures = [aws_iam_role.this]
}
