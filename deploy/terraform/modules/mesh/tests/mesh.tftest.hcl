mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "555555555555" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

run "by_default" {
  command = plan

  assert {
    condition     = toset(keys(aws_iam_role.this)) == toset(["DataMeshManager", "DataMeshAdminReadOnly"])
    error_message = "The mesh has two roles of its own."
  }

  assert {
    condition     = alltrue([for table in [aws_dynamodb_table.subscriptions, aws_dynamodb_table.decisions] : table.deletion_protection_enabled])
    error_message = "The tables are the only record of who may read what."
  }

  assert {
    condition     = length(aws_scheduler_schedule_group.ends) == 0
    error_message = "Schedules end nothing unless somebody says so."
  }

  assert {
    condition     = strcontains(local.policies["DataMeshManager.policy"], "arn:aws:dynamodb:*:555555555555:table/AwsDataMeshDecisions")
    error_message = "The manager reads the decisions of this account."
  }
}

run "with_schedules" {
  command = plan

  variables {
    end_schedules            = true
    permissions_boundary_arn = "arn:aws:iam::555555555555:policy/Boundary"
  }

  assert {
    condition     = aws_scheduler_schedule_group.ends[0].name == "lakemesh-ends"
    error_message = "The group has the name that lakemesh looks for."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.permissions_boundary == "arn:aws:iam::555555555555:policy/Boundary"])
    error_message = "Every role is bounded."
  }
}
