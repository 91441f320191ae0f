package home

import "syscall"

// detached is DETACHED_PROCESS of Windows: the process has no console
// (https://learn.microsoft.com/windows/win32/procthread/process-creation-flags).
const detached = 0x00000008

// background lets a process outlive the console that it was started from.
func background() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detached}
}
