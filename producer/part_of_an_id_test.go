package producer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The last part of an id looks like an id of the original library. It is not said to be one.
func TestThePartOfAnIDIsNotARecordOfTheOriginalLibrary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "DESCRIBE")
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id[strings.LastIndexByte(id, '-')+1:]})
	if !errors.Is(err, lakemesh.ErrNotFound) || strings.Contains(err.Error(), "it is a record of the original") || !strings.Contains(err.Error(), "whole id") || !strings.Contains(err.Error(), "AdoptRecords") {
		t.Errorf("approving the part of an id: %v", err)
	}
}
