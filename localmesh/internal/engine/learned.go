package engine

// The names of what is learned of later, as several services have to do with it.

// NewPrincipal notes that the call makes a user or a role. For a while other
// services do not know it, and policies cannot name it.
func (c *Call) NewPrincipal(arn string) { c.Changed("principal "+arn, nil) }

// Unknown tells whether a principal that exists is too new to be known to the
// service for this caller.
func (c *Call) Unknown(arn string) bool { return c.Missing("principal " + arn) }

// NewLocation notes that the call registers a path of an account with Lake
// Formation.
func (c *Call) NewLocation(account, path string) { c.Changed(location(c, account, path), nil) }

// UnknownLocation tells whether a registered path is too new to be granted on by
// this caller.
func (c *Call) UnknownLocation(account, path string) bool {
	return c.Missing(location(c, account, path))
}

func location(c *Call, account, path string) string {
	return "location " + path + " of " + account + " in " + c.Region
}
