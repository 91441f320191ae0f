package iam

import (
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// secretLength and tokenLength are those of AWS's credentials, about.
const (
	secretLength = 40
	tokenLength  = 200
)

// NewSession makes temporary credentials and keeps them. The caller has filled
// in whose they are (Account with Role, RoleID and Name, or User, or Root), and
// the policies that limit them; keys, token and times are added here. It decides
// nothing: whether the session may be had was asked before.
func NewSession(c *engine.Call, s state.Session, lifetime time.Duration) (state.Session, error) {
	s.AccessKeyID = c.Mesh.ID("ASIA", 16)
	s.Secret = c.Mesh.Secret(secretLength)
	s.Token = c.Mesh.Secret(tokenLength)
	s.Issued = c.Now
	s.Expires = c.Now.Add(lifetime)
	return s, state.PutSession(c.Tx, s)
}

// RoleSession is a session of the role, to be completed by [NewSession].
func RoleSession(r state.Role, name string) state.Session {
	return state.Session{Account: r.Account, Role: r.Name, RoleID: r.ID, Name: name}
}

// MaxSession is the longest session that a role allows.
func MaxSession(r state.Role) time.Duration { return time.Duration(maxSession(r)) * time.Second }
