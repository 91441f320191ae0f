package sigv4

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// The modes of aws-chunked bodies, in X-Amz-Content-Sha256.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
const (
	streamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// maxTrailers bounds the headers after the last chunk.
const maxTrailers = 16

// Streaming tells whether the body of r is in chunks, which [DecodeChunked] reads.
func Streaming(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get(contentHashHeader), streamingPrefix)
}

// DecodeChunked takes the payload out of an aws-chunked body, with the headers
// that follow it. Where the mode has the chunks and trailers signed it checks
// their signatures, which continue the one of the request: c is what [Verify]
// has accepted.
func DecodeChunked(r *http.Request, c *Credential, secret string, body []byte) (payload []byte, trailer http.Header, err error) {
	mode := r.Header.Get(contentHashHeader)
	d := chunkDecoder{rest: body, c: c, previous: c.Signature}
	switch mode {
	case streamingUnsignedTrailer:
		d.trailers = true
	case streamingSigned:
		d.key = signingKey(c, secret)
	case streamingSignedTrailer:
		d.key, d.trailers = signingKey(c, secret), true
	default:
		return nil, nil, &MalformedError{Part: contentHashHeader, Problem: "an unknown streaming mode"}
	}

	payload = make([]byte, 0, len(body))
	for {
		chunk, err := d.chunk()
		if err != nil {
			return nil, nil, err
		}
		if len(chunk) == 0 {
			break
		}
		payload = append(payload, chunk...)
	}
	if trailer, err = d.trailer(); err != nil {
		return nil, nil, err
	}
	want, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || want != int64(len(payload)) {
		return nil, nil, &MalformedError{Part: "X-Amz-Decoded-Content-Length", Problem: "not the length of the payload"}
	}
	return payload, trailer, nil
}

type chunkDecoder struct {
	rest     []byte
	c        *Credential
	key      []byte // nil when the chunks are not signed
	trailers bool
	previous string // the signature before this one
}

func notChunked() error {
	return &MalformedError{Part: "body", Problem: "not in aws-chunked form"}
}

// line takes a line that ends in CRLF.
func (d *chunkDecoder) line() (string, error) {
	line, rest, ok := bytes.Cut(d.rest, []byte("\r\n"))
	if !ok || len(line) > 8<<10 {
		return "", notChunked()
	}
	d.rest = rest
	return string(line), nil
}

// chunk takes a chunk: its size in hexadecimal, perhaps a signature, and the data.
// The last chunk is empty.
func (d *chunkDecoder) chunk() ([]byte, error) {
	line, err := d.line()
	if err != nil {
		return nil, err
	}
	digits, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(digits, 16, 63)
	if err != nil || size > uint64(len(d.rest)) {
		return nil, notChunked()
	}
	data := d.rest[:size]
	if d.key != nil {
		signature, ok := strings.CutPrefix(extension, "chunk-signature=")
		if !ok {
			return nil, notChunked()
		}
		if err := d.check(signature, algorithm+"-PAYLOAD", hexHash(nil), hexHash(data)); err != nil {
			return nil, err
		}
	}
	d.rest = d.rest[size:]
	if size == 0 {
		return nil, nil
	}
	if !bytes.HasPrefix(d.rest, []byte("\r\n")) {
		return nil, notChunked()
	}
	d.rest = d.rest[2:]
	return data, nil
}

// check compares a signature to that of the lines and takes it as the previous one.
func (d *chunkDecoder) check(signature, kind string, hashes ...string) error {
	lines := append([]string{kind, d.c.Time.Format(timeFormat), d.c.scope(), d.previous}, hashes...)
	want := sign(d.key, lines...)
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return ErrMismatch
	}
	d.previous = want
	return nil
}

// trailer takes what follows the last chunk: headers, their signature, and an empty line.
func (d *chunkDecoder) trailer() (http.Header, error) {
	headers := make(http.Header)
	var signed strings.Builder
	signature := ""
	for n := 0; len(d.rest) > 0; n++ {
		line, err := d.line()
		if err != nil {
			return nil, err
		}
		if line == "" { // clients differ in whether they end with one or two
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || n > maxTrailers || signature != "" || !d.trailers {
			return nil, notChunked()
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			signature = value
			continue
		}
		headers.Add(name, value)
		signed.WriteString(name + ":" + value + "\n")
	}
	if d.key != nil && d.trailers {
		if err := d.check(signature, algorithm+"-TRAILER", hexHash([]byte(signed.String()))); err != nil {
			return nil, err
		}
	}
	return headers, nil
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
