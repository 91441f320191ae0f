// Package census counts everything that there is in accounts of a local mesh, service by
// service, in lines that can be compared: what was there before, and what is there after.
//
// It tells nothing apart: what lakemesh makes and what others made are lines alike. Times
// and identifiers are in the lines, so that something that was removed and made again is
// not the same.
package census

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/localmesh"
)

// Options say what is counted.
type Options struct {
	// Accounts are the accounts, each with the ARN of its administrator.
	Accounts map[string]string
	// Keys are the ARNs of keys of KMS, which cannot be listed, by account.
	Keys map[string][]string
	// Regions are those besides the mesh's in which Lake Formation, Glue and RAM are counted,
	// too.
	Regions []string
}

// Take counts what there is, in order. It looks at a clone, in which the administrators
// make themselves data lake administrators: nobody else is shown everything.
func Take(ctx context.Context, mesh *localmesh.Mesh, o Options) (lines []string, err error) {
	clone, err := mesh.Clone()
	if err != nil {
		return nil, err
	}
	defer func() { err = closed(clone, err) }()
	c := &census{ctx: ctx, keys: o.Keys}
	for account, administrator := range o.Accounts {
		c.account, c.administrator, c.config = account, administrator, clone.Config(administrator)
		for _, service := range []struct {
			name  string
			count func() error
		}{
			// Lake Formation first: the others are looked at as its administrator.
			{"Lake Formation", c.lakeFormation}, {"Glue", c.glue}, {"RAM", c.ram}, {"IAM", c.iam}, {"S3", c.s3}, {"KMS", c.kms},
			{"EventBridge Scheduler", c.scheduler}, {"DynamoDB", c.dynamodb},
		} {
			if err := service.count(); err != nil {
				return nil, fmt.Errorf("count %s of account %s: %w", service.name, account, err)
			}
		}
		for _, c.region = range o.Regions {
			c.config.Region = c.region
			for _, count := range []func() error{c.lakeFormation, c.glue, c.ram} {
				if err := count(); err != nil {
					return nil, fmt.Errorf("count region %s of account %s: %w", c.region, account, err)
				}
			}
		}
		c.region = ""
	}
	slices.Sort(c.lines)
	return c.lines, nil
}

func closed(mesh *localmesh.Mesh, err error) error {
	if failed := mesh.Close(); err == nil {
		return failed
	}
	return err
}

type census struct {
	ctx     context.Context // A census lives as long as one call of Take.
	keys    map[string][]string
	account string
	// administrator is who looks.
	administrator string
	config        aws.Config
	// region is another than the mesh's, or empty.
	region string
	lines  []string
}

// note adds a line.
func (c *census) note(service, what string, v any) error {
	text, err := text(v)
	if err != nil {
		return err
	}
	if c.region != "" {
		service += " in " + c.region
	}
	c.lines = append(c.lines, fmt.Sprintf("%s %s: %s %s", c.account, service, what, text))
	return nil
}

// text writes a value as JSON without what is empty, its members in order; a text is
// written as it is.
func text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var decoded any
	if err := json.Unmarshal(data, &decoded); err != nil {
		return "", err
	}
	data, err = json.Marshal(tidy(decoded))
	return string(data), err
}

func tidy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e = tidy(e); e == nil {
				delete(v, k)
			} else {
				v[k] = e
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i, e := range v {
			v[i] = tidy(e)
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

// Exception is a kind of difference that there may be.
type Exception struct {
	// Why says why: what cannot be put back, or is nobody's.
	Why string
	// Is reports whether a line, which only one of two censuses has, is such a difference.
	Is func(line string, appeared bool) bool
}

// Difference are the lines that only one of two censuses has, with "-" those of the first
// and with "+" those of the second, without exceptions.
func Difference(before, after []string, exceptions ...Exception) string {
	var b strings.Builder
	tell := func(line string, appeared bool) {
		if slices.ContainsFunc(exceptions, func(e Exception) bool { return e.Is(line, appeared) }) {
			return
		}
		sign := "-"
		if appeared {
			sign = "+"
		}
		b.WriteString(sign + " " + line + "\n")
	}
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case j == len(after) || i < len(before) && before[i] < after[j]:
			tell(before[i], false)
			i++
		case i == len(before) || after[j] < before[i]:
			tell(after[j], true)
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return b.String()
}
