package plan

import (
	"slices"

	"github.com/lakemesh/lakemesh"
)

// Preview returns a copy of the plan that can be printed, encoded and counted, and
// not applied: its steps have neither Run nor Batch, and [Plan.Apply] refuses it.
// It keeps the digest, by which an operation can be told what was shown. What the
// steps' details point to is shared.
func (p *Plan) Preview() *Plan {
	shown := &Plan{Operation: p.Operation, Digest: p.Digest, Warnings: slices.Clone(p.Warnings), preview: true}
	copies := make(map[*Step]*Step, len(p.Steps))
	for _, s := range p.Steps {
		c := *s
		c.Run, c.Batch = nil, nil
		copies[s] = &c
		shown.Steps = append(shown.Steps, &c)
	}
	for i, s := range p.Steps {
		// The copy must not lead to a step that runs.
		shown.Steps[i].After = nil
		for _, a := range s.After {
			if c, ok := copies[a]; ok {
				shown.Steps[i].After = append(shown.Steps[i].After, c)
			}
		}
	}
	return shown
}

// runnable refuses what cannot be carried out: a preview, and a plan that holds
// steps of one.
func (p *Plan) runnable() error {
	if !p.preview && !slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Run == nil && (s.Batch == nil || s.Batch.Run == nil) }) {
		return nil
	}
	return &lakemesh.Error{Op: p.Operation, Kind: lakemesh.ErrInvalidInput, Resource: "plan",
		Message: "it is a preview, which cannot be applied; nothing was done",
		Hint:    "call the operation itself; where it takes what to expect, give it the preview's digest"}
}
