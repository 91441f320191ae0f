package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

import (
	"crypto/sha1" // One of the checksums that clients may send.
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
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
	}
	return nil
}

const checksumHeader = "x-amz-checksum-"

// checksums verifies the checksums that a request came with, and returns those
// that are kept: the given one, or the one whose algorithm was announced for the
// end of a chunked body.
func checksums(h http.Header, body []byte) (map[string]string, error) {
	kept := map[string]string{}
	for _, algorithm := range []string{"crc32", "crc32c", "crc64nvme", "sha1", "sha256"} {
		given := h.Get(checksumHeader + algorithm)
		announced := strings.EqualFold(h.Get("X-Amz-Sdk-Checksum-Algorithm"), algorithm) || strings.EqualFold(strings.TrimSpace(h.Get("X-Amz-Trailer")), checksumHeader+algorithm)
		if given == "" && !announced {
			continue
		}
		sum := newChecksum(algorithm)
		// A hash does not fail.
		_, _ = sum.Write(body)
		is := base64.StdEncoding.EncodeToString(sum.Sum(nil))
		if given != "" && given != is {
			return nil, badChecksum(algorithm)
		}
		kept[checksumHeader+algorithm] = is
	}
	return kept, nil
}

func badChecksum(algorithm string) *engine.APIError {
	return failure(http.StatusBadRequest, "BadDigest", "The "+strings.ToUpper(algorithm)+" you specified did not match the calculated checksum.").APIError
}
