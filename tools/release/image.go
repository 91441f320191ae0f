package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The media types of an image layout
// (https://github.com/opencontainers/image-spec/blob/main/media-types.md).
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// descriptor names a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type imageConfig struct {
	platform
	Created time.Time      `json:"created"`
	Config  map[string]any `json:"config"`
	RootFS  rootFS         `json:"rootfs"`
	History []history      `json:"history"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// layout is an image layout while it is written: the blobs, and the files around them.
type layout struct{ entries []entry }

// add adds a blob.
func (l *layout) add(mediaType string, data []byte) descriptor {
	d := digest(data)
	l.entries = append(l.entries, entry{"blobs/sha256/" + d[len("sha256:"):], data, 0o644})
	return descriptor{MediaType: mediaType, Digest: d, Size: len(data)}
}

// addJSON adds a blob that is JSON.
func (l *layout) addJSON(mediaType string, v any) (descriptor, error) {
	data, err := json.Marshal(v)
	return l.add(mediaType, data), err
}

// digest names what is in a blob.
func digest(data []byte) string {
	h := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(h[:])
}

// image writes lakemesh-operate for all Linux targets as one image layout in a tar,
// which docker load, podman load and skopeo read. There is nothing in it but the
// program: it is static, and brings the roots that it trusts.
func (r *release) image(all []built) error {
	var l layout
	var manifests []descriptor
	for _, b := range all {
		if b.operate == "" {
			continue
		}
		m, err := r.imageFor(&l, b)
		if err != nil {
			return err
		}
		manifests = append(manifests, m)
	}
	if len(manifests) == 0 {
		return nil
	}
	whole, err := l.addJSON(typeIndex, index{2, typeIndex, manifests})
	if err != nil {
		return err
	}
	// Docker's own name of an image in a layout, and everybody's.
	whole.Annotations = map[string]string{"io.containerd.image.name": "lakemesh-operate:" + tag(r.stamp), "org.opencontainers.image.ref.name": tag(r.stamp)}
	top, err := json.Marshal(index{2, typeIndex, []descriptor{whole}})
	if err != nil {
		return err
	}
	entries := append([]entry{{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644}, {"index.json", top, 0o644}}, l.entries...)
	return writeFile(filepath.Join(r.out, "lakemesh-operate-"+r.stamp.plain()+"-image.tar"), func(w io.Writer) error { return writeTar(w, entries, r.stamp.time) })
}

// tag is the version as the tag of an image, which may have no plus.
func tag(s stamp) string {
	return string(bytes.ReplaceAll([]byte(s.version), []byte("+"), []byte("-")))
}

// imageFor adds the image for one target.
func (r *release) imageFor(l *layout, b built) (descriptor, error) {
	program, err := os.ReadFile(b.operate)
	if err != nil {
		return descriptor{}, err
	}
	license, err := os.ReadFile(filepath.Join(r.root, "LICENSE"))
	if err != nil {
		return descriptor{}, err
	}
	files := []entry{{"lakemesh-operate", program, 0o755}, {"licenses/LICENSE", license, 0o644}}
	var plain, packed bytes.Buffer
	if err := errors.Join(writeTar(&plain, files, r.stamp.time), writeTarGz(&packed, files, r.stamp.time)); err != nil {
		return descriptor{}, err
	}
	layer := l.add(typeLayer, packed.Bytes())
	on := platform{b.target.arch, b.target.os}
	config, err := l.addJSON(typeConfig, imageConfig{platform: on, Created: r.stamp.time,
		// As the Dockerfile of deploy/operate says: nobody's user id, and no shell.
		Config:  map[string]any{"Entrypoint": []string{"/lakemesh-operate"}, "User": "65532:65532", "WorkingDir": "/", "Labels": labels(r.stamp)},
		RootFS:  rootFS{"layers", []string{digest(plain.Bytes())}},
		History: []history{{r.stamp.time, "tools/release"}}})
	if err != nil {
		return descriptor{}, err
	}
	m, err := l.addJSON(typeManifest, manifest{2, typeManifest, config, []descriptor{layer}, labels(r.stamp)})
	m.Platform = &on
	return m, err
}

// labels say what the image is
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md).
func labels(s stamp) map[string]string {
	return map[string]string{"org.opencontainers.image.title": "lakemesh-operate", "org.opencontainers.image.version": s.version,
		"org.opencontainers.image.source": homepage, "org.opencontainers.image.licenses": "Apache-2.0"}
}
