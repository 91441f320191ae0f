package main

import (
	"context"
	"path/filepath"
)

// billOfMaterials writes the modules that a binary is made of, as CycloneDX says it.
func (r *release) billOfMaterials(ctx context.Context, b built) error {
	programs := map[string]string{"lakemesh": b.cli}
	if b.operate != "" {
		programs["lakemesh-operate"] = b.operate
	}
	for name, binary := range programs {
		to := filepath.Join(r.out, name+"-"+r.stamp.plain()+"-"+b.target.os+"-"+b.target.arch+".cdx.json")
		// A serial number would be another one each time, and so would be the time of day.
		if err := r.tool(ctx, "cyclonedx-gomod", "bin", "-json", "-noserial", "-notimestamp", "-version", r.stamp.version, "-output", to, binary); err != nil {
			return err
		}
	}
	return nil
}
