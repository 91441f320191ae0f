package wire

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
)

// WriteResult answers a request that succeeded with a body that
// [Codec.EncodeJSON] or [Codec.EncodeQuery] made.
func WriteResult(w http.ResponseWriter, p Protocol, requestID string, body []byte) error {
	return writeBody(w, p, requestID, http.StatusOK, body)
}

func writeBody(w http.ResponseWriter, p Protocol, requestID string, status int, body []byte) error {
	h := w.Header()
	if len(body) > 0 {
		h.Set("Content-Type", p.ContentType())
	}
	if p == RestXML {
		h.Set("X-Amz-Request-Id", requestID)
	} else {
		h.Set("X-Amzn-Requestid", requestID)
	}
	if p == AWSJSON10 {
		// Without it, Go's DynamoDB client logs a warning on every call.
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write response: %w", err)
	}
	return nil
}
