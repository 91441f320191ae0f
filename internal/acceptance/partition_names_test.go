package acceptance_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// namedInExamples are what may name the partition aws, by file: examples in helps and errors,
// and what stands for a partition that is not known.
func namedInExamples() map[string][]string {
	return map[string][]string{
		"internal/storage/statement.go": {"PartitionAWS"}, // of what is no ARN
		"internal/chain/by_hand.go":     {"PartitionAWS"}, // of a finding without a role
		"internal/home/connect.go":      {"PartitionAWS"}, // which a local mesh is in where no region is said
		"cmd/lakemesh/explain.go":       {"--principal arn:aws:iam::222222222222:role/Analyst"},
		"cmd/lakemesh/examples.go":      {"--principals arn:aws:iam::222222222222:role/Analyst"},
		"cmd/lakemesh/query.go":         {"--role arn:aws:iam::222222222222:role/Analyst"},
		"cmd/lakemesh/local.go":         {"--as arn:aws:iam::123456789012:role/Admin"},
		"scope.go":                      {"as arn:aws:organizations::444444444444:organization/o-abcdefghij"},
	}
}

// ofAWSAlone are what is for the partition aws, or takes the partition from a region that can be
// a pattern.
func ofAWSAlone() []string {
	return []string{"RoleARN", "CatalogARN", "DatabaseARN", "TableARN", "EndingGroupARN", "EndingSchedules", "EndingQueueARN", "PartitionAWS"}
}

// inside are the folders that know the names of the partition aws by design, and those of test
// programs.
func inside(path string) bool {
	for _, folder := range []string{
		"localmesh/",                                                                         // it exchanges the names at its edge
		"internal/iac/",                                                                      // templates have a variable in the place of the partition
		"internal/proof/",                                                                    // it asks the partition aws, and refuses accounts of others
		"internal/iampolicy/scenario/", "internal/meshtest/", "bench/", "interop/", "tools/", // tests, and their worlds
	} {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return false
}

// Whoever makes an ARN makes it in the partition of the region. A new place that does not is
// found here.
func TestNobodyWritesARNsOfOnePartition(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	seen := 0
	if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || inside(filepath.ToSlash(name)) || name == "partition.go" {
			return err
		}
		seen++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, wrong := range namesOfAWS(file, namedInExamples()[filepath.ToSlash(name)]) {
			t.Errorf("%s: %s", name, wrong)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if seen < 200 {
		t.Errorf("%d files were looked at", seen)
	}
}

// namesOfAWS are the places of a file that name the partition aws.
func namesOfAWS(file *ast.File, may []string) (wrong []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind != token.STRING || !strings.Contains(n.Value, "arn:aws:") {
				return true
			}
			rest := n.Value
			for _, e := range may {
				rest = strings.ReplaceAll(rest, e, "")
			}
			if strings.Contains(rest, "arn:aws:") && !slices.ContainsFunc(may, func(e string) bool { return strings.HasPrefix(e, "as ") && strings.Contains(n.Value, e) }) {
				wrong = append(wrong, "it writes an ARN of the partition aws: "+n.Value)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "lakemesh" && slices.Contains(ofAWSAlone(), n.Sel.Name) && !slices.Contains(may, n.Sel.Name) {
				wrong = append(wrong, "it uses lakemesh."+n.Sel.Name+", and has a region: lakemesh.PartitionOf it has the same")
			}
		}
		return true
	})
	return wrong
}

// The check finds what it is for.
func TestARNsOfOnePartitionAreFound(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
// arn:aws:iam in a comment is no matter.
var a = "arn:aws:iam::" + account + ":root"
var b = lakemesh.RoleARN(account, "x")
var c = "see arn:aws:x:y"
var d = p.RoleARN(account, "x")
`, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := namesOfAWS(file, []string{"arn:aws:x:y"}); len(wrong) != 2 {
		t.Errorf("%q", wrong)
	}
}
