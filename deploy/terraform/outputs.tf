output "manager_role_arn" {
  description = "The role as which people of the mesh account administer the mesh."
  value       = module.mesh.manager_role_arn
}

output "next" {
  description = "What to run next, as an administrator of the mesh account."
  value       = concat([module.mesh.next], [for member in module.member : member.next])
}

output "policies" {
  description = "The policies of the roles: those of the mesh, and those of each member."
  value       = merge({ mesh = module.mesh.policies }, { for id, member in module.member : id => member.policies })
}
