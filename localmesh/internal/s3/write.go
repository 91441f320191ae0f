package s3

import (
	"errors"
	"net/http"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// ErrNoBucket says that the bucket to write into does not exist.
var ErrNoBucket = errors.New("the specified bucket does not exist")

// Write puts an object for another service, which calls S3 with the rights of its
// caller.
func Write(c *engine.Call, bucket, key, contentType string, body []byte) error {
	b, ok, err := state.S3Buckets.Get(c.Tx, bucket)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNoBucket
	}
	t := target{bucket: known(c, b), key: key}
	q := question(t.bucket, "s3:PutObject", t.arn(), nil)
	q.Forwarded = !c.Mesh.Readings.ForwardedCallsUnmarked
	d, err := answer(c, t.bucket, q)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return c.Denied(d.Reason)
	}
	encryption, err := encrypt(c, http.Header{}, t)
	if err != nil {
		return err
	}
	_, err = putContent(c, t, state.Object{Key: key, Size: int64(len(body)), ETag: etagOf(body), Modified: c.Now.Truncate(time.Second),
		Headers: map[string]string{"Content-Type": contentType}, Encryption: encryption}, body)
	return err
}
