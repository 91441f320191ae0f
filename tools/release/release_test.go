package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// long reports whether all of a release is built, from nothing and twice, which takes
// some ten minutes of two idle cores. Otherwise it is what this machine can run.
func long() bool { return os.Getenv("LAKEMESH_LONG") != "" }

// clone clones what is committed: Go finds a version in a clone alone.
func clone(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("a release is made of a clone, and this is none")
	}
	dir := filepath.Join(t.TempDir(), "lakemesh")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "--quiet", root, dir).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	return dir
}

// newKey makes a pair of keys that nobody keeps.
func newKey(t *testing.T, root string) (secret, public string) {
	t.Helper()
	dir := t.TempDir()
	secret, public = filepath.Join(dir, "secret"), filepath.Join(dir, "public")
	r := &release{root: root}
	if err := r.tool(t.Context(), "minisign", "-G", "-W", "-s", secret, "-p", public); err != nil {
		t.Fatal(err)
	}
	return secret, public
}

// files are the files of a folder.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = data
	}
	return all
}

func TestARelease(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes a minute")
	}
	if !long() {
		t.Parallel()
	}
	first, second := clone(t), clone(t)
	secret, public := newKey(t, first)
	targets := host().String()
	if long() {
		targets = allTargets
	}
	release := func(root string) map[string][]byte {
		t.Helper()
		out := filepath.Join(t.TempDir(), "dist")
		if err := run(t.Context(), []string{"-root", root, "-out", out, "-targets", targets, "-key", secret}, t.Output()); err != nil {
			t.Fatal(err)
		}
		return files(t, out)
	}
	dist := release(first)
	if long() {
		t.Setenv("GOCACHE", t.TempDir())
	}
	again := release(second)
	for _, name := range slices.Sorted(maps.Keys(dist)) {
		t.Logf("%10d %s", len(dist[name]), name)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(dist)), slices.Sorted(maps.Keys(again))) {
		t.Fatalf("the second time there are others: %v", slices.Sorted(maps.Keys(again)))
	}
	for name := range dist {
		if !bytes.Equal(dist[name], again[name]) {
			t.Errorf("%s is another one the second time", name)
		}
	}
	checkSums(t, dist)
	checkSignature(t, first, public, dist)
	if host().os == "windows" {
		return
	}
	version := versionOf(t, dist)
	stem := "lakemesh-" + version + "-" + runtime.GOOS + "-" + runtime.GOARCH
	unpacked := untar(t, gunzip(t, dist[stem+".tar.gz"]))
	program := unpacked[stem+"/lakemesh"]
	for _, name := range []string{"LICENSE", "README.md", "man/lakemesh.1", "man/lakemesh-product-sync.1", "completions/lakemesh.bash", "completions/_lakemesh"} {
		if len(unpacked[stem+"/"+name]) == 0 {
			t.Errorf("the archive has no %s", name)
		}
	}
	if strings.Contains(string(unpacked[stem+"/man/lakemesh.1"]), "Auto generated") {
		t.Error("the manual page says when it was made")
	}
	exe := executable(t, program)
	if out := output(t, exe, "version"); !strings.Contains(out, "lakemesh v"+version+" ") {
		t.Errorf("version: %s", out)
	}
	if out := output(t, exe, "completion", "bash"); out != string(unpacked[stem+"/completions/lakemesh.bash"]) {
		t.Error("the completion is not the program's")
	}
	output(t, exe, "demo")
	checkBill(t, dist[stem+".cdx.json"])
	if host().os == "linux" {
		checkPackages(t, dist, stem, program)
		checkOperate(t, dist, version)
	}
	if formula, ok := dist["lakemesh.rb"]; ok != long() || (ok && !strings.Contains(string(formula), version)) {
		t.Errorf("formula: %v", ok)
	}
}

func versionOf(t *testing.T, dist map[string][]byte) string {
	t.Helper()
	for name := range dist {
		if m := regexp.MustCompile(`^lakemesh-(.+)-` + runtime.GOOS + `-` + runtime.GOARCH + `\.(tar\.gz|zip)$`).FindStringSubmatch(name); m != nil {
			return m[1]
		}
	}
	t.Fatal("there is no archive for this machine")
	return ""
}

func checkSums(t *testing.T, dist map[string][]byte) {
	t.Helper()
	summed := 0
	for line := range strings.Lines(string(dist[sumsFile])) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok || digest(dist[name]) != "sha256:"+sum {
			t.Errorf("%s: the sum is not that of the file", name)
		}
		summed++
	}
	// The sums, and their signature.
	if summed != len(dist)-2 {
		t.Errorf("%d sums for %d files", summed, len(dist))
	}
}

func checkSignature(t *testing.T, root, public string, dist map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	sums := filepath.Join(dir, sumsFile)
	verify := func() error {
		r := &release{root: root}
		return r.tool(t.Context(), "minisign", "-V", "-p", public, "-m", sums, "-x", sums+".minisig")
	}
	write(t, sums, dist[sumsFile])
	write(t, sums+".minisig", dist[sumsFile+".minisig"])
	if err := verify(); err != nil {
		t.Error(err)
	}
	write(t, sums, append(dist[sumsFile], 'x'))
	if verify() == nil {
		t.Error("the signature is also good for other sums")
	}
}

func checkBill(t *testing.T, data []byte) {
	t.Helper()
	var bill struct {
		BOMFormat  string `json:"bomFormat"`
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(data, &bill); err != nil || bill.BOMFormat != "CycloneDX" {
		t.Fatalf("bill of materials: %v %.200s", err, data)
	}
	for _, module := range []string{"github.com/aws/aws-sdk-go-v2/service/lakeformation", "modernc.org/sqlite"} {
		if !slices.ContainsFunc(bill.Components, func(c struct{ Name, Version string }) bool { return c.Name == module && c.Version != "" }) {
			t.Errorf("the bill of materials lacks %s", module)
		}
	}
}

// checkPackages reads the packages back: each holds the program of the archive, its
// pages and completions.
func checkPackages(t *testing.T, dist map[string][]byte, stem string, program []byte) {
	t.Helper()
	for _, format := range formats {
		data, ok := dist[stem+"."+format]
		if !ok {
			t.Errorf("there is no %s", format)
			continue
		}
		var held map[string][]byte
		switch format {
		case "deb":
			held = untar(t, gunzip(t, member(t, data, "data.tar.gz")))
		case "apk":
			held = untar(t, gunzip(t, data))
		case "rpm":
			held = payload(t, data)
		}
		names := map[string][]byte{}
		for name, data := range held {
			names[path.Join("/", name)] = data
		}
		if !bytes.Equal(names["/usr/bin/lakemesh"], program) {
			t.Errorf("%s has another program (%d bytes): %v", format, len(names["/usr/bin/lakemesh"]), slices.Sorted(maps.Keys(names)))
		}
		for _, name := range []string{"/usr/share/man/man1/lakemesh.1.gz", "/usr/share/bash-completion/completions/lakemesh", "/usr/share/zsh/site-functions/_lakemesh", "/usr/share/doc/lakemesh/copyright"} {
			if len(names[name]) == 0 {
				t.Errorf("%s lacks %s", format, name)
			}
		}
	}
	if dpkg, err := exec.LookPath("dpkg-deb"); err == nil {
		file := filepath.Join(t.TempDir(), "lakemesh.deb")
		write(t, file, dist[stem+".deb"])
		if out := output(t, dpkg, "--field", file, "Package", "Architecture"); !strings.Contains(out, "lakemesh") || !strings.Contains(out, runtime.GOARCH) {
			t.Errorf("dpkg-deb says %s", out)
		}
	}
}

// checkOperate reads the function and the image back: both hold the same program, and it
// runs.
func checkOperate(t *testing.T, dist map[string][]byte, version string) {
	t.Helper()
	name := "lakemesh-operate-" + version + "-lambda-" + runtime.GOARCH + ".zip"
	z, err := zip.NewReader(bytes.NewReader(dist[name]), int64(len(dist[name])))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	f, err := z.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	bootstrap, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("bootstrap cannot be executed: %v %v", info.Mode(), err)
	}
	if out := output(t, executable(t, bootstrap), "version"); out != "lakemesh-operate v"+version+"\n" {
		t.Errorf("version: %q", out)
	}

	blobs := untar(t, dist["lakemesh-operate-"+version+"-image.tar"])
	if string(blobs["oci-layout"]) != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("layout: %s", blobs["oci-layout"])
	}
	// Every blob is what its name says, and every descriptor names one of its size.
	for name, data := range blobs {
		if sum, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && digest(data) != "sha256:"+sum {
			t.Errorf("%s is %s", name, digest(data))
		}
	}
	blob := func(d descriptor, into any) []byte {
		t.Helper()
		data, ok := blobs["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if !ok || len(data) != d.Size {
			t.Fatalf("%+v: %v, %d bytes", d, ok, len(data))
		}
		if into != nil {
			if err := json.Unmarshal(data, into); err != nil {
				t.Fatal(err)
			}
		}
		return data
	}
	var top, whole index
	if err := json.Unmarshal(blobs["index.json"], &top); err != nil || len(top.Manifests) != 1 {
		t.Fatalf("%v %+v", err, top)
	}
	blob(top.Manifests[0], &whole)
	for _, d := range whole.Manifests {
		var m manifest
		var c imageConfig
		blob(d, &m)
		blob(m.Config, &c)
		layer := gunzip(t, blob(m.Layers[0], nil))
		if c.Architecture != d.Platform.Architecture || c.OS != "linux" || c.RootFS.DiffIDs[0] != digest(layer) || len(m.Layers) != 1 {
			t.Errorf("%+v %+v", m, c)
		}
		if entry := c.Config["Entrypoint"]; fmt.Sprint(entry) != "[/lakemesh-operate]" || c.Config["User"] != "65532:65532" {
			t.Errorf("%+v", c.Config)
		}
		if d.Platform.Architecture == runtime.GOARCH && !bytes.Equal(untar(t, layer)["lakemesh-operate"], bootstrap) {
			t.Error("the image has another program than the function")
		}
	}
}

func TestTheFormulaIsAsHomebrewWantsIt(t *testing.T) {
	t.Parallel()
	r := &release{stamp: stamp{version: "v1.2.3", time: time.Unix(0, 0)}}
	sums := map[string]string{}
	targets, err := parseTargets(allTargets)
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range targets {
		sums[r.archiveName(target)+".tar.gz"] = strings.Repeat(strconv.Itoa(i), 64)
	}
	text, err := renderFormula(r.stamp, sums, r.archiveName)
	if err != nil {
		t.Fatal(err)
	}
	golden := "testdata/lakemesh.rb.golden"
	if os.Getenv("UPDATE") != "" {
		write(t, golden, []byte(text))
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != text {
		t.Errorf("%v; with UPDATE=1 it is written anew:\n%s", err, text)
	}
	delete(sums, r.archiveName(targets[0])+".tar.gz")
	if text, err := renderFormula(r.stamp, sums, r.archiveName); err != nil || text != "" {
		t.Errorf("a formula with a hole: %v %s", err, text)
	}
}

func TestWhatARequestOfARunMayBe(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-targets", "plan9/amd64"}, {"-targets", "linux"}, {"-targets", ""}, {"everything"}, {"-root", t.TempDir()}} {
		if err := run(t.Context(), append([]string{"-out", filepath.Join(t.TempDir(), "dist")}, args...), io.Discard); err == nil {
			t.Errorf("%v was done", args)
		}
	}
	// What somebody else keeps there is not removed.
	out := t.TempDir()
	write(t, filepath.Join(out, "lakemesh-1.zip"), nil)
	write(t, filepath.Join(out, "thesis.txt"), nil)
	if err := clear(out); err == nil || len(files(t, out)) != 2 {
		t.Errorf("%v: left are %d", err, len(files(t, out)))
	}
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// executable writes a program that can be run.
func executable(t *testing.T, program []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "LAKEMESH_HOME="+filepath.Join(t.TempDir(), "home"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

func gunzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func untar(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if all[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// member is a member of an ar archive, as Debian's packages are
// (https://manpages.debian.org/deb.5).
func member(t *testing.T, data []byte, name string) []byte {
	t.Helper()
	rest, ok := bytes.CutPrefix(data, []byte("!<arch>\n"))
	for ok && len(rest) >= 60 {
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimRight(strings.TrimSpace(string(rest[:16])), "/") == name {
			return rest[60 : 60+size]
		}
		rest = rest[min(len(rest), 60+size+size%2):]
	}
	t.Fatalf("there is no %s", name)
	return nil
}

// payload are the files of a package of Fedora: after the lead and two headers there is a
// cpio archive (https://rpm-software-management.github.io/rpm/manual/format_v4.html).
func payload(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	at := 96
	for range 2 {
		entries, store := binary.BigEndian.Uint32(data[at+8:]), binary.BigEndian.Uint32(data[at+12:])
		at += 16 + 16*int(entries) + int(store)
		if at < 96+16*1024 && at%8 != 0 && !bytes.HasPrefix(data[at:], []byte{0x1f, 0x8b}) {
			// The first of them, the signature, is filled up to eight bytes.
			at += 8 - at%8
		}
	}
	rest := gunzip(t, data[at:])
	all := map[string][]byte{}
	for {
		field := func(i int) int {
			n, err := strconv.ParseUint(string(rest[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
		size, nameSize := field(6), field(11)
		name := string(rest[110 : 110+nameSize-1])
		if name == "TRAILER!!!" {
			return all
		}
		begin := (110 + nameSize + 3) / 4 * 4
		all[name] = rest[begin : begin+size]
		rest = rest[(begin+size+3)/4*4:]
	}
}
