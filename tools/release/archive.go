package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"
)

// entry is a file of an archive.
type entry struct {
	name string
	data []byte
	mode int64
}

// archiveName is the name of a target's archive, and of the folder in it.
func (r *release) archiveName(t target) string {
	return "lakemesh-" + r.stamp.plain() + "-" + t.os + "-" + t.arch
}

// archive writes a zip for Windows, a tar.gz for the others.
func (r *release) archive(b built, x *extras) error {
	name := r.archiveName(b.target)
	entries, err := r.entries(name, b, x)
	if err != nil {
		return err
	}
	if b.target.os == "windows" {
		return writeFile(filepath.Join(r.out, name+".zip"), func(w io.Writer) error { return writeZip(w, entries, r.stamp.time) })
	}
	return writeFile(filepath.Join(r.out, name+".tar.gz"), func(w io.Writer) error { return writeTarGz(w, entries, r.stamp.time) })
}

func (r *release) entries(name string, b built, x *extras) ([]entry, error) {
	var entries []entry
	add := func(file, to string, mode int64) error {
		data, err := os.ReadFile(file)
		entries = append(entries, entry{path.Join(name, to), data, mode})
		return err
	}
	if err := add(b.cli, b.name(), 0o755); err != nil {
		return nil, err
	}
	for _, file := range x.docs {
		if err := add(file, filepath.Base(file), 0o644); err != nil {
			return nil, err
		}
	}
	for _, shell := range shells {
		if err := add(x.completions[shell.name], "completions/"+shell.archived, 0o644); err != nil {
			return nil, err
		}
	}
	for _, file := range x.pages {
		if err := add(file, "man/"+filepath.Base(file), 0o644); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// writeFile writes a file whole, or says why not.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// writeTar writes files of nobody in particular, all of one time.
func writeTar(w io.Writer, entries []entry, at time.Time) error {
	t := tar.NewWriter(w)
	for _, e := range entries {
		if err := t.WriteHeader(&tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: at, Format: tar.FormatPAX}); err != nil {
			return err
		}
		if _, err := t.Write(e.data); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeTarGz(w io.Writer, entries []entry, at time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := writeTar(z, entries, at); err != nil {
		return err
	}
	return z.Close()
}

// manualPage is a page as packages hold it.
func manualPage(data []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

func writeZip(w io.Writer, entries []entry, at time.Time) error {
	z := zip.NewWriter(w)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at.UTC()}
		header.SetMode(os.FileMode(e.mode))
		f, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := f.Write(e.data); err != nil {
			return err
		}
	}
	return z.Close()
}
