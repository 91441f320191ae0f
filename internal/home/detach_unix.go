//go:build unix

package home

import "syscall"

// background lets a process outlive the terminal that it was started from.
func background() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
