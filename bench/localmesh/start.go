package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// startResult is how long "lakemesh local start" takes until it has answered a
// call, and what it holds then.
type startResult struct {
	// Fresh begins with no folder, Again with the one that it made.
	Fresh []time.Duration `json:"freshNanoseconds"`
	Again []time.Duration `json:"againNanoseconds"`
	// Rest is the memory a second after the first answer.
	Rest []memory `json:"rest"`
}

func measureStart(ctx context.Context, program string, rounds int) (_ result, err error) {
	tmp, err := os.MkdirTemp("", "lakemesh-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if program, err = build(ctx, program, tmp); err != nil {
		return nil, err
	}
	var r startResult
	for i := range rounds {
		dir := filepath.Join(tmp, fmt.Sprint(i))
		for _, to := range []*[]time.Duration{&r.Fresh, &r.Again} {
			took, rest, err := startOnce(ctx, program, dir)
			if err != nil {
				return nil, err
			}
			*to = append(*to, took)
			r.Rest = append(r.Rest, rest)
		}
	}
	return r, nil
}

func startOnce(ctx context.Context, program, dir string) (took time.Duration, rest memory, err error) {
	begun := time.Now()
	s, err := startFolder(ctx, program, dir)
	if err != nil {
		return 0, rest, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if _, err := sts.NewFromConfig(s.config()).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return 0, rest, err
	}
	took = time.Since(begun)
	select {
	case <-ctx.Done():
		return took, rest, ctx.Err()
	case <-time.After(time.Second):
	}
	rest, err = memoryOf(s.cmd.Process.Pid)
	return took, rest, err
}

func (r startResult) print(w io.Writer) {
	printMachine(w)
	times := func(name string, d []time.Duration) []string {
		return []string{name, milliseconds(quantile(d, 0)) + " ms", milliseconds(quantile(d, 0.5)) + " ms", milliseconds(quantile(d, 1)) + " ms"}
	}
	bytes := func(name string, of func(memory) int64) []string {
		var all []int64
		for _, m := range r.Rest {
			all = append(all, of(m))
		}
		return []string{name, megabytes(quantile(all, 0)), megabytes(quantile(all, 0.5)), megabytes(quantile(all, 1))}
	}
	printTable(w, []string{"", "least", "median", "most"}, [][]string{
		times("start without a folder, to the first answer", r.Fresh),
		times("start on a folder, to the first answer", r.Again),
		bytes("resident memory at rest", func(m memory) int64 { return m.Resident }),
		bytes("of that the process's own", func(m memory) int64 { return m.Own }),
		bytes("peak of resident memory", func(m memory) int64 { return m.Peak }),
	})
	fmt.Fprintln(w, "\ntargets: start below 100 ms, at rest below 60 MB")
}
