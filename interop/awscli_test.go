package interop

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A walk with the AWS command line, set up as people do it: by evaluating what
// "lakemesh local env" prints.
func TestAWSCommandLine(t *testing.T) {
	t.Parallel()
	aws := installed(t, "clients", "aws")
	m := start(t)
	folder := t.TempDir()
	for name, content := range map[string]string{
		"data.csv":   "1,2\n",
		"trust.json": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`,
		"table.json": `{"Name":"Boats","TableType":"EXTERNAL_TABLE","StorageDescriptor":{"Location":"s3://quay/all","Columns":[{"Name":"id","Type":"int"}]}}`,
		"items.json": `{"Boats":[{"PutRequest":{"Item":{"id":{"S":"a"}}}},{"PutRequest":{"Item":{"id":{"S":"b"}}}},{"PutRequest":{"Item":{"id":{"S":"c"}}}}]}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const query = ` --output text --query `
	for _, step := range []struct {
		identity, command, want, code string
	}{
		{"Mesh", "aws sts get-caller-identity" + query + "Arn", "arn:aws:iam::555555555555:user/MeshAdministrator", ""},
		{"Producer", "aws iam list-users", "", "AccessDenied"},
		{"ProducerAdmin", "aws iam create-role --role-name Reader --assume-role-policy-document file://trust.json" + query + "Role.Arn", "arn:aws:iam::111111111111:role/Reader", ""},
		{"ProducerAdmin", "aws sts assume-role --role-arn arn:aws:iam::111111111111:role/Reader --role-session-name me" + query + "AssumedRoleUser.Arn",
			"arn:aws:sts::111111111111:assumed-role/Reader/me", ""},
		{"ProducerAdmin", "aws s3 mb s3://quay", "make_bucket: quay", ""},
		{"ConsumerAdmin", "aws s3 ls s3://quay", "", "AccessDenied"},
		{"ProducerAdmin", "aws s3 cp --only-show-errors data.csv s3://quay/in/data.csv && aws s3 cp --only-show-errors s3://quay/in/data.csv -", "1,2", ""},
		{"ProducerAdmin", "aws s3 sync --only-show-errors . s3://quay/all && aws s3 ls s3://quay/all/ | sed 's/.* //'", "data.csv\nitems.json\ntable.json\ntrust.json", ""},
		{"ProducerAdmin", "aws s3 rm --only-show-errors --recursive s3://quay && aws s3 rb s3://quay", "remove_bucket: quay", ""},
		{"ProducerAdmin", "aws glue create-database --database-input Name=Quay && aws glue create-table --database-name quay --table-input file://table.json", "", ""},
		{"ProducerAdmin", "aws glue get-tables --database-name quay" + query + "'TableList[].Name'", "boats", ""},
		{"ProducerAdmin", "aws lakeformation revoke-permissions --principal DataLakePrincipalIdentifier=IAM_ALLOWED_PRINCIPALS --permissions ALL --resource '{\"Table\":{\"DatabaseName\":\"quay\",\"Name\":\"boats\"}}'", "", ""},
		{"ProducerAdmin", "aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier=999999999999 --permissions SELECT --resource '{\"Table\":{\"DatabaseName\":\"quay\",\"Name\":\"boats\"}}'", "", ""},
		{"ConsumerAdmin", "arn=$(aws ram get-resource-share-invitations" + query + "'resourceShareInvitations[0].resourceShareInvitationArn') && " +
			"aws ram accept-resource-share-invitation --resource-share-invitation-arn $arn" + query + "resourceShareInvitation.status", "ACCEPTED", ""},
		{"ConsumerAdmin", "aws glue get-table --catalog-id 111111111111 --database-name quay --name boats" + query + "Table.CatalogId", "111111111111", ""},
		{"Mesh", "aws dynamodb create-table --table-name Boats --billing-mode PAY_PER_REQUEST --key-schema AttributeName=id,KeyType=HASH " +
			"--attribute-definitions AttributeName=id,AttributeType=S && aws dynamodb wait table-exists --table-name Boats", "", ""},
		{"Mesh", "aws dynamodb batch-write-item --request-items file://items.json" + query + "'length(UnprocessedItems)'", "0", ""},
		{"Mesh", "aws dynamodb scan --table-name Boats --page-size 1" + query + "Items[].id.S | sort", "a\nb\nc", ""},
		{"Mesh", "aws dynamodb put-item --table-name Boats --item '{\"id\":{\"S\":\"a\"}}' --condition-expression 'attribute_not_exists(id)'", "", "ConditionalCheckFailedException"},
	} {
		out, log, err := m.shell(aws, folder, step.identity, step.command)
		out = strings.TrimSpace(out)
		var exit *exec.ExitError
		switch {
		case err != nil && !errors.As(err, &exit):
			t.Fatal(err)
		case step.code != "" && (err == nil || !strings.Contains(log, "("+step.code+")")):
			t.Errorf("%s: %s\ngot %q %q, want %s", step.identity, step.command, out, log, step.code)
		case step.code == "" && err != nil:
			t.Fatalf("%s: %s\n%v: %s", step.identity, step.command, err, log)
		case step.want != "" && out != step.want:
			t.Errorf("%s: %s\ngot %q, want %q", step.identity, step.command, out, step.want)
		}
	}
}

// shell runs a command in a folder with a few files, after "lakemesh local env".
func (m *mesh) shell(aws, folder, identity, command string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", `eval "$("$LAKEMESH" local env --identity "$IDENTITY")"; `+command)
	cmd.Dir = folder
	cmd.Env = append(m.environment(""), "LAKEMESH="+m.program, "IDENTITY="+identity, "PATH="+filepath.Dir(aws)+string(os.PathListSeparator)+os.Getenv("PATH"), "AWS_PAGER=")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	return out.String(), log.String(), err
}
