package engine

// The names of what is learned of later, as several services have to do with it.

// NewPrincipal notes that the call makes a user or a role. For a while other
// services do not know it, and policies cannot name it.
func (c *Call) NewPrincipal(arn string) { c.Changed("principal "+arn, nil) }

// Unknown tells whether a principal that exists is too new to be known to the
// service for this caller.
func (c *Call) Unknown(arn string) bool { return c.Missing("principal " + arn) }
