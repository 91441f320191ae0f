package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memory is what a process holds, in bytes. Pages of a mapped file are the
// kernel's to take back; what is the process's own is in Own.
type memory struct {
	Resident int64 `json:"resident"`
	Peak     int64 `json:"peak"`
	Own      int64 `json:"own"`
	File     int64 `json:"file"`
}

// errNoProc says that the memory of a process cannot be measured here.
var errNoProc = errors.New("the memory of another process is measured on Linux only")

// memoryOf reads what a process holds.
func memoryOf(pid int) (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		return memory{}, errNoProc
	}
	if err != nil {
		return memory{}, err
	}
	var m memory
	fields := map[string]*int64{"VmRSS": &m.Resident, "VmHWM": &m.Peak, "RssAnon": &m.Own, "RssFile": &m.File}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		to := fields[name]
		if to == nil {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		if err != nil {
			return m, err
		}
		*to = kilobytes << 10
	}
	return m, nil
}

// sizeOf is what the files of a folder occupy on disk.
func sizeOf(dir string) (int64, error) {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
