package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionOutput is what the program is.
type versionOutput struct {
	Version  string `json:"Version"`
	Revision string `json:"Revision,omitempty"`
	Modified bool   `json:"Modified,omitempty"`
	Go       string `json:"Go"`
	Platform string `json:"Platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell the program's version",
		Args:  cobra.NoArgs,
		RunE: a.do(func(context.Context, []string) error {
			v := programVersion()
			return a.show(v, func() {
				fmt.Fprintln(a.out, versionText())
			})
		}),
	}
}

// versionText is the version in a line.
func versionText() string {
	v := programVersion()
	return fmt.Sprintf("lakemesh %s (%s%s) %s %s", v.Version, orDash(v.Revision), choose(v.Modified, ", modified", ""), v.Go, v.Platform)
}

func programVersion() versionOutput {
	v := versionOutput{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
