package athena

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// A view of Athena is a table of the type VIRTUAL_VIEW whose original text holds, in base64, what
// Trino knows of it. It has no rights of its own: the tables behind it are opened as the caller
// (https://docs.aws.amazon.com/athena/latest/ug/lf-athena-limitations.html#lf-athena-limitations-permissions-to-views).

const (
	viewBegins = "/* Presto View: "
	viewEnds   = " */"
)

// viewDefinition is Trino's form of a view.
type viewDefinition struct {
	OriginalSQL  string            `json:"originalSql"`
	Catalog      string            `json:"catalog"`
	Schema       string            `json:"schema"`
	Columns      []viewColumn      `json:"columns"`
	Comment      string            `json:"comment,omitempty"`
	RunAsInvoker bool              `json:"runAsInvoker"`
	Properties   map[string]string `json:"properties"`
}

type viewColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// text is the original text of the table.
func (v viewDefinition) text() (string, error) {
	content, err := json.Marshal(v)
	return viewBegins + base64.StdEncoding.EncodeToString(content) + viewEnds, err
}

// definitionOf reads a view's original text; ok is false for one of another engine.
func definitionOf(text string) (v viewDefinition, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, viewBegins) || !strings.HasSuffix(text, viewEnds) {
		return v, false
	}
	content, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text[len(viewBegins) : len(text)-len(viewEnds)]))
	if err != nil || json.Unmarshal(content, &v) != nil || v.OriginalSQL == "" {
		return v, false
	}
	return v, true
}

// openView finds out what of a view is shown.
func (t *table) openView(database, name string) error {
	source := t.reading.Table
	v, ok := definitionOf(source.ViewOriginal)
	if !ok {
		return lacking("reading a view that is none of Athena (%s.%s)", database, name)
	}
	if v.Catalog != "" && !equalFold(v.Catalog, catalogName) && !equalFold(v.Catalog, "hive") {
		return &dialect.Error{Code: dialect.CodeCatalog, Message: "Catalog '" + v.Catalog + "' does not exist"}
	}
	if t.reading.Rows != "" || len(t.reading.Cells) > 0 {
		return lacking("a data cells filter on a view (%s.%s)", database, name)
	}
	t.shown = &dialect.Table{View: &dialect.View{Text: v.OriginalSQL, Database: strings.ToLower(v.Schema)}}
	for _, c := range source.Columns() {
		column := state.Fold(c.Name)
		t.shown.View.Columns = append(t.shown.View.Columns, column)
		if _, seen := lakeformation.Narrowed(c.Name, c.Type, t.reading.Columns); seen {
			t.shown.Columns = append(t.shown.Columns, dialect.Column{Name: column})
		}
	}
	return nil
}
