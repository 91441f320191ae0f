package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
//
// The current version of an object stands where objects without versions stand, so that
// all that looks at a bucket finds it there. The others, and delete markers, stand in a
// table of their own. A key whose newest version is a delete marker has no current one.

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const (
	enabled   = "Enabled"
	suspended = "Suspended"
	// nullVersion is how the version is called that has no id: the only one where versions
	// were never kept.
	nullVersion = "null"
	// maxOrder is more than any key has versions.
	maxOrder = 1_000_000_000
)

func versionID(o state.Object) string {
	if o.Version == "" {
		return nullVersion
	}
	return o.Version
}

// versionOf is the id in the store of the version that a request names.
func versionOf(id string) string {
	if id == nullVersion {
		return ""
	}
	return id
}

func orderKey(order int) string { return fmt.Sprintf("%010d", maxOrder-order) }

// older are the versions of a key that are not the current one, newest first.
func older(c *engine.Call, t target) ([]state.Version, error) {
	return state.Versions.All(c.Tx, t.bucket.Name, t.key)
}

// found is a version of an object, wherever it stands.
type found struct {
	state.Object
	// version is set if it is not the current one.
	version *state.Version
}

// findVersion finds the version that a request names, or the current one.
func findVersion(c *engine.Call, t target, q url.Values) (f found, ok bool, err error) {
	o, ok, err := object(c, t)
	if err != nil || !q.Has("versionId") {
		return found{Object: o}, ok, err
	}
	id := versionOf(q.Get("versionId"))
	if ok && o.Version == id {
		return found{Object: o}, true, nil
	}
	all, err := older(c, t)
	for i := range all {
		if all[i].Version == id {
			return found{Object: all[i].Object, version: &all[i]}, true, err
		}
	}
	return found{}, false, err
}

// body are the bytes of a version. They must be copied before the transaction ends.
func (f found) body(c *engine.Call, t target) []byte {
	if f.version == nil {
		return content(c, t.bucket.Name, t.key)
	}
	body, _ := c.Tx.Get(state.VersionBodies, store.Key(t.bucket.Name, t.key, f.Version))
	return body
}

// put writes what was changed of a version beside its content.
func (f found) put(c *engine.Call, t target) error {
	if f.version == nil {
		return state.Objects.Put(c.Tx, f.Object, t.bucket.Name, t.key)
	}
	v := *f.version
	v.Object = f.Object
	return state.Versions.Put(c.Tx, v, t.bucket.Name, t.key, orderKey(v.Order))
}

// nextOrder is the order of the next version of a key.
func nextOrder(c *engine.Call, t target) (int, error) {
	all, err := older(c, t)
	if err != nil || len(all) == 0 {
		return 1, err
	}
	return all[0].Order + 1, nil
}

// setAside keeps the current version of an object before another one takes its place.
func setAside(c *engine.Call, t target) error {
	o, ok, err := object(c, t)
	if err != nil || !ok {
		return err
	}
	if o.Version == "" && t.bucket.Versioning == suspended {
		return nil // There is one null version: the next.
	}
	order, err := nextOrder(c, t)
	if err != nil {
		return err
	}
	if err := c.Tx.Put(state.VersionBodies, store.Key(t.bucket.Name, t.key, o.Version), content(c, t.bucket.Name, t.key)); err != nil {
		return err
	}
	return state.Versions.Put(c.Tx, state.Version{Object: o, Order: order}, t.bucket.Name, t.key, orderKey(order))
}

// forgetNull removes the null version from those that are not current.
func forgetNull(c *engine.Call, t target) error {
	all, err := older(c, t)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Version == "" {
			if err := forget(c, t, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func forget(c *engine.Call, t target, v state.Version) error {
	if err := c.Tx.Delete(state.VersionBodies, store.Key(t.bucket.Name, t.key, v.Version)); err != nil {
		return err
	}
	return state.Versions.Delete(c.Tx, t.bucket.Name, t.key, orderKey(v.Order))
}

// newVersion makes place for a version that becomes the current one, and gives its id.
func newVersion(c *engine.Call, t target) (id string, err error) {
	switch t.bucket.Versioning {
	case enabled:
		return c.Mesh.Secret(32), setAside(c, t)
	case suspended:
		if err := setAside(c, t); err != nil {
			return "", err
		}
		return "", forgetNull(c, t)
	}
	return "", nil
}

// deletion is what a deletion did.
type deletion struct {
	// Version is the id of what was deleted or made, if the bucket keeps or kept versions.
	Version string
	// Marker tells that it is a delete marker.
	Marker bool
}

// remove deletes the current version, which leaves a delete marker where versions are
// kept.
func remove(c *engine.Call, t target) (deletion, error) {
	if t.bucket.Versioning == "" {
		return deletion{}, removeObject(c, t.bucket.Name, t.key)
	}
	id, err := newVersion(c, t)
	if err != nil {
		return deletion{}, err
	}
	if err := removeObject(c, t.bucket.Name, t.key); err != nil {
		return deletion{}, err
	}
	order, err := nextOrder(c, t)
	if err != nil {
		return deletion{}, err
	}
	marker := state.Version{Object: state.Object{Key: t.key, Version: id, Modified: c.Now.Truncate(time.Second)}, Order: order, Marker: true}
	return deletion{versionID(marker.Object), true}, state.Versions.Put(c.Tx, marker, t.bucket.Name, t.key, orderKey(order))
}

// removeVersion deletes one version for good. The newest of the others becomes the
// current one, if it is no delete marker.
func removeVersion(c *engine.Call, t target, id string) (deletion, error) {
	done := deletion{Version: id}
	f, ok, err := findVersion(c, t, url.Values{"versionId": {id}})
	if err != nil || !ok {
		return done, err
	}
	if f.version != nil {
		done.Marker = f.version.Marker
		if err := forget(c, t, *f.version); err != nil {
			return done, err
		}
	} else if err := removeObject(c, t.bucket.Name, t.key); err != nil {
		return done, err
	}
	if _, current, err := object(c, t); err != nil || current {
		return done, err
	}
	all, err := older(c, t)
	if err != nil || len(all) == 0 || all[0].Marker {
		return done, err
	}
	body, _ := c.Tx.Get(state.VersionBodies, store.Key(t.bucket.Name, t.key, all[0].Version))
	if err := putBytes(c, t.bucket.Name, all[0].Object, body); err != nil {
		return done, err
	}
	return done, forget(c, t, all[0])
}

// showVersion tells in an answer which version it is about.
func showVersion(h http.Header, b state.Bucket, id string) {
	if b.Versioning != "" {
		h.Set("X-Amz-Version-Id", id)
	}
}

type versioningConfiguration struct {
	XMLName   xml.Name `xml:"VersioningConfiguration"`
	XMLNS     string   `xml:"xmlns,attr,omitempty"`
	Status    string   `xml:",omitempty"`
	MfaDelete string   `xml:",omitempty"`
}

func getBucketVersioning(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketVersioning", nil)
	if err != nil {
		return nil, err
	}
	return answerXML(versioningConfiguration{XMLNS: namespace, Status: t.bucket.Versioning})
}

func putBucketVersioning(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketVersioning", nil)
	if err != nil {
		return nil, err
	}
	var in versioningConfiguration
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if in.MfaDelete == enabled {
		return nil, notImplemented("Element", "MfaDelete")
	}
	switch in.Status {
	case enabled, suspended:
		t.bucket.Versioning = in.Status
	case "":
		return nil, failure(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified").APIError
	default:
		return nil, malformedXML()
	}
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusOK)
}
