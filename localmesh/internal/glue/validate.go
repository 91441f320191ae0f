package glue

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Limits of the Data Catalog
// (https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html,
// https://docs.aws.amazon.com/general/latest/gr/glue.html).
const (
	maxName        = 255
	maxDescription = 2048
	maxColumnType  = 131072
	maxComment     = 255
	maxValue       = 512000
	maxExpression  = 2048
	maxKeyValue    = 1024
	maxDatabases   = 10_000
	maxTables      = 200_000 // of a database
	maxPage        = 100
	maxPartitions  = 1000

	maxAccountTables = 1_000_000
)

// constraint is the error of a member that breaks a constraint of Glue's model.
func constraint(member, value, must string) error {
	return engine.Errorf("ValidationException",
		"1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, member, must)
}

func invalid(format string, args ...any) error {
	return engine.Errorf("InvalidInputException", format, args...)
}

func notFound(format string, args ...any) error {
	return engine.Errorf("EntityNotFoundException", format, args...)
}

func alreadyExists(format string, args ...any) error {
	return engine.Errorf("AlreadyExistsException", format, args...)
}

// detail is an error as it stands in the answer of a batch operation. What is not
// AWS's own error stays one.
func detail(err error) (*types.ErrorDetail, error) {
	var e *engine.APIError
	if !errors.As(err, &e) {
		return nil, err
	}
	return &types.ErrorDetail{ErrorCode: aws.String(e.Code), ErrorMessage: aws.String(e.Message)}, nil
}

// name checks a name and folds it.
func name(member string, given *string) (string, error) {
	if given == nil {
		return "", constraint(member, "null", "not be null")
	}
	if err := length(member, *given, 1, maxName); err != nil {
		return "", err
	}
	return state.Fold(*given), nil
}

// length checks the length and the characters of a single-line text.
func length(member, text string, low, high int) error {
	switch n := utf8.RuneCountInString(text); {
	case n < low:
		return constraint(member, text, fmt.Sprintf("have length greater than or equal to %d", low))
	case n > high:
		return constraint(member, short(text), fmt.Sprintf("have length less than or equal to %d", high))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, control):
		return constraint(member, text, `satisfy regular expression pattern: [\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*`)
	}
	return nil
}

// plain tells of a text of printable ASCII that its length is right, which is so for
// nearly all: only what is not plain has to be looked at closely.
func plain(text string, low, high int) bool {
	if len(text) < low || len(text) > high {
		return false
	}
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

func control(r rune) bool { return r < 0x20 && r != '\t' }

// short cuts a text that is quoted in a message.
func short(text string) string {
	if len(text) > 300 {
		return strings.ToValidUTF8(text[:300], "") + "..."
	}
	return text
}

func between(member string, n, low, high int) error {
	switch {
	case n < low:
		return constraint(member, fmt.Sprint(n), fmt.Sprintf("have value greater than or equal to %d", low))
	case n > high:
		return constraint(member, fmt.Sprint(n), fmt.Sprintf("have value less than or equal to %d", high))
	}
	return nil
}

// count checks the number of entries of a list.
func count(member string, n, low, high int) error {
	switch {
	case n < low:
		return constraint(member, fmt.Sprintf("[%d entries]", n), fmt.Sprintf("have length greater than or equal to %d", low))
	case n > high:
		return constraint(member, fmt.Sprintf("[%d entries]", n), fmt.Sprintf("have length less than or equal to %d", high))
	}
	return nil
}

// pageSize is how many results a page holds: what was asked for, or all that is
// allowed, since AWS's own default is not documented.
func pageSize(given *int32, most int) (int, error) {
	if given == nil {
		return most, nil
	}
	return int(*given), between("maxResults", int(*given), 1, most)
}

func checkParameters(member string, parameters map[string]string) error {
	for k, v := range parameters {
		if plain(k, 1, maxName) && len(v) <= maxValue {
			continue
		}
		if err := length(member+".key", k, 1, maxName); err != nil {
			return err
		}
		if utf8.RuneCountInString(v) > maxValue {
			return constraint(member+"."+k, short(v), fmt.Sprintf("have length less than or equal to %d", maxValue))
		}
	}
	return nil
}

func checkColumns(member string, columns []types.Column) error {
	for i, c := range columns {
		if c.Name != nil && plain(*c.Name, 1, maxName) && plain(aws.ToString(c.Type), 0, maxColumnType) &&
			plain(aws.ToString(c.Comment), 0, maxComment) && len(c.Parameters) == 0 {
			continue
		}
		at := fmt.Sprintf("%s.%d.member", member, i+1)
		if c.Name == nil {
			return constraint(at+".name", "null", "not be null")
		}
		if err := length(at+".name", *c.Name, 1, maxName); err != nil {
			return err
		}
		if err := length(at+".type", aws.ToString(c.Type), 0, maxColumnType); err != nil {
			return err
		}
		if err := length(at+".comment", aws.ToString(c.Comment), 0, maxComment); err != nil {
			return err
		}
		if err := checkParameters(at+".parameters", c.Parameters); err != nil {
			return err
		}
	}
	return nil
}

func checkStorage(member string, sd *types.StorageDescriptor) error {
	if sd == nil {
		return nil
	}
	if err := checkColumns(member+".columns", sd.Columns); err != nil {
		return err
	}
	if err := length(member+".location", aws.ToString(sd.Location), 0, 2056); err != nil {
		return err
	}
	return checkParameters(member+".parameters", sd.Parameters)
}

// checkTable checks what is given of a table.
func checkTable(in *types.TableInput) error {
	if in == nil {
		return constraint("tableInput", "null", "not be null")
	}
	if err := length("tableInput.description", strings.NewReplacer("\n", " ", "\r", " ").Replace(aws.ToString(in.Description)), 0, maxDescription); err != nil {
		return err
	}
	if err := length("tableInput.owner", aws.ToString(in.Owner), 0, maxName); err != nil {
		return err
	}
	if err := length("tableInput.tableType", aws.ToString(in.TableType), 0, maxName); err != nil {
		return err
	}
	if err := checkStorage("tableInput.storageDescriptor", in.StorageDescriptor); err != nil {
		return err
	}
	if err := checkColumns("tableInput.partitionKeys", in.PartitionKeys); err != nil {
		return err
	}
	if err := checkParameters("tableInput.parameters", in.Parameters); err != nil {
		return err
	}
	if in.Retention < 0 {
		return between("tableInput.retention", int(in.Retention), 0, 1<<31-1)
	}
	if in.FederatedTable != nil || in.ViewDefinition != nil {
		return engine.Errorf("NotImplementedException", "the local mesh has no federated tables and no views of the Data Catalog").WithStatus(501)
	}
	return nil
}

// checkDefaults checks default permissions: none, or everything to
// IAM_ALLOWED_PRINCIPALS.
// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DataLakeSettings.html
func checkDefaults(permissions []types.PrincipalPermissions) error {
	for _, p := range permissions {
		if p.Principal == nil || aws.ToString(p.Principal.DataLakePrincipalIdentifier) != state.IAMAllowedPrincipals ||
			len(p.Permissions) != 1 || p.Permissions[0] != types.PermissionAll {
			return invalid("Only ALL to %s may be a default permission", state.IAMAllowedPrincipals)
		}
	}
	if len(permissions) > 1 {
		return invalid("There may be one default permission at most")
	}
	return nil
}

// catalog is the account whose catalog a request is about.
func catalog(c *engine.Call, given *string) (string, error) {
	if given == nil {
		return c.Account(), nil
	}
	if err := length("catalogId", *given, 1, maxName); err != nil {
		return "", err
	}
	if len(*given) != 12 || strings.Trim(*given, "0123456789") != "" {
		return "", notFound("Catalog %s not found.", *given)
	}
	return *given, nil
}

// quota is an adjustable quota of an account, or what it is for every account.
func quota(c *engine.Call, account, name string, usual int) (int, error) {
	a, _, err := state.Accounts.Get(c.Tx, account)
	if n, ok := a.Quotas[name]; ok {
		return n, err
	}
	return usual, err
}
