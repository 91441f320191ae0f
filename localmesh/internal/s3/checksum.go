package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

import (
	"crypto/md5"  // One of the checksums that clients may send,
	"crypto/sha1" // and another.
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// crc64NVME is the polynomial of CRC-64/NVME, reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

func newChecksum(algorithm string) hash.Hash {
	switch algorithm {
	case "crc32":
		return crc32.NewIEEE()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		return crc64.New(crc64.MakeTable(crc64NVME))
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	case "md5":
		return md5.New()
	}
	return nil
}

const checksumHeader = "x-amz-checksum-"

// algorithms are those of the checksums that are verified. S3 has three more, which
// are refused.
func algorithms() []string {
	return []string{"crc32", "crc32c", "crc64nvme", "sha1", "sha256", "sha512", "md5"}
}

// defaultAlgorithm is the one of the checksum that S3 adds where a client sends none
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
const defaultAlgorithm = "crc64nvme"

func checksumOf(algorithm string, body []byte) string {
	sum := newChecksum(algorithm)
	// A hash does not fail.
	_, _ = sum.Write(body)
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// announced tells whether a request says that it is going to have a checksum of an
// algorithm: at the end of its body, or from whoever sends it.
func announced(h http.Header, algorithm string) bool {
	return strings.EqualFold(h.Get("X-Amz-Sdk-Checksum-Algorithm"), algorithm) ||
		strings.EqualFold(strings.TrimSpace(h.Get("X-Amz-Trailer")), checksumHeader+algorithm)
}

// checksums verifies the checksums that a request came with, and returns those
// that are kept: the given one, or the one whose algorithm was announced for the
// end of a chunked body.
func checksums(h http.Header, body []byte) (map[string]string, error) {
	kept := map[string]string{}
	for _, algorithm := range algorithms() {
		given := h.Get(checksumHeader + algorithm)
		if given == "" && !announced(h, algorithm) {
			continue
		}
		if len(kept) > 0 {
			return nil, failure(http.StatusBadRequest, "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.").APIError
		}
		is := checksumOf(algorithm, body)
		if given != "" && given != is {
			return nil, badChecksum(algorithm)
		}
		kept[checksumHeader+algorithm] = is
	}
	for _, name := range []string{h.Get("X-Amz-Sdk-Checksum-Algorithm"), strings.TrimPrefix(strings.ToLower(h.Get("X-Amz-Trailer")), checksumHeader)} {
		if name != "" && newChecksum(strings.ToLower(name)) == nil {
			return nil, unsupportedChecksum()
		}
	}
	return kept, nil
}

func unsupportedChecksum() error {
	return failure(http.StatusBadRequest, "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "+
		strings.ToUpper(strings.Join(algorithms(), ", "))).APIError
}

func badChecksum(algorithm string) *engine.APIError {
	return failure(http.StatusBadRequest, "BadDigest", "The "+strings.ToUpper(algorithm)+" you specified did not match the calculated checksum.").APIError
}

// showChecksums tells an object's checksums, and what they are made of.
func showChecksums(h http.Header, o state.Object) {
	for name, v := range o.Checksums {
		h.Set(name, v)
	}
	if len(o.Checksums) > 0 {
		h.Set("X-Amz-Checksum-Type", checksumType(o.Composite))
	}
}

func checksumType(composite bool) string {
	if composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}

// checksumElements are an object's checksums in an answer in XML.
type checksumElements struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumSHA512    string `xml:",omitempty"`
	ChecksumMD5       string `xml:",omitempty"`
}

// by is the place of each algorithm's.
func (e *checksumElements) by() map[string]*string {
	return map[string]*string{"crc32": &e.ChecksumCRC32, "crc32c": &e.ChecksumCRC32C, "crc64nvme": &e.ChecksumCRC64NVME, "sha1": &e.ChecksumSHA1,
		"sha256": &e.ChecksumSHA256, "sha512": &e.ChecksumSHA512, "md5": &e.ChecksumMD5}
}

func elementsOf(sums map[string]string) checksumElements {
	var e checksumElements
	for algorithm, place := range e.by() {
		*place = sums[checksumHeader+algorithm]
	}
	return e
}

// algorithmsOf are the algorithms of checksums as listings name them.
func algorithmsOf(sums map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		names = append(names, strings.ToUpper(strings.TrimPrefix(name, checksumHeader)))
	}
	return names
}
