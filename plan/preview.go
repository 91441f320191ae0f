package plan

import (
	"errors"

	"github.com/lakemesh/lakemesh"
)

// ErrPreview is the cause of the error of applying a preview.
var ErrPreview = errors.New("a plan that was made to be looked at cannot be applied")

// Preview is the plan to be looked at: it can be printed and encoded, and applying it
// fails before anything is done. What a decision would do is shown as a preview: its
// steps alone, without the claim before and the record after them, would be a grant that
// nobody decided on.
func (p *Plan) Preview() *Plan {
	shown := &Plan{Operation: p.Operation, Warnings: p.Warnings, Digest: p.Digest, preview: true}
	twin := make(map[*Step]*Step, len(p.Steps))
	for _, s := range p.Steps {
		looked := *s
		looked.Run, looked.Batch, looked.After = nil, nil, nil
		for _, a := range s.After {
			// Steps come after those that they depend on.
			if t := twin[a]; t != nil {
				looked.After = append(looked.After, t)
			}
		}
		twin[s] = &looked
		shown.Steps = append(shown.Steps, &looked)
	}
	return shown
}

func (p *Plan) refuse() error {
	return &lakemesh.Error{Op: p.Operation, Kind: lakemesh.ErrInvalidInput, Resource: "plan", Message: "it shows what would be done, and cannot be applied by itself",
		Hint: "call the operation, with the plan's digest as Expect if what is done has to be what was shown", Err: ErrPreview}
}
