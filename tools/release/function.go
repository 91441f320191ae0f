package main

import (
	"io"
	"os"
	"path/filepath"
)

// function writes lakemesh-operate as AWS Lambda takes it: a zip whose program is
// called bootstrap (https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html).
func (r *release) function(b built) error {
	data, err := os.ReadFile(b.operate)
	if err != nil {
		return err
	}
	license, err := os.ReadFile(filepath.Join(r.root, "LICENSE"))
	if err != nil {
		return err
	}
	name := "lakemesh-operate-" + r.stamp.plain() + "-lambda-" + b.target.arch + ".zip"
	return writeFile(filepath.Join(r.out, name), func(w io.Writer) error {
		return writeZip(w, []entry{{"bootstrap", data, 0o755}, {"LICENSE", license, 0o644}}, r.stamp.time)
	})
}
