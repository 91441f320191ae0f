package glue_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

func TestCatalogOfAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	out, err := c.GetCatalog(w.ctx, &glue.GetCatalogInput{CatalogId: aws.String(owner)})
	w.must(err)
	if got := out.Catalog; *got.CatalogId != owner || *got.ResourceArn != "arn:aws:glue:us-east-1:"+owner+":catalog" || len(got.CreateTableDefaultPermissions) != 1 {
		t.Errorf("got %+v", got)
	}
	w.refused(errOnly(c.GetCatalog(w.ctx, &glue.GetCatalogInput{CatalogId: aws.String(owner + ":sales")})), "EntityNotFoundException")
	w.refused(errOnly(c.GetCatalog(w.ctx, &glue.GetCatalogInput{CatalogId: aws.String(guest)})), "AccessDeniedException")
	for _, test := range []struct {
		in *glue.GetCatalogsInput
		n  int
	}{
		{&glue.GetCatalogsInput{}, 0}, {&glue.GetCatalogsInput{IncludeRoot: aws.Bool(true), Recursive: true}, 1},
		{&glue.GetCatalogsInput{IncludeRoot: aws.Bool(false)}, 0}, {&glue.GetCatalogsInput{IncludeRoot: aws.Bool(true), ParentCatalogId: aws.String(owner)}, 1},
	} {
		list, err := c.GetCatalogs(w.ctx, test.in)
		w.must(err)
		if len(list.CatalogList) != test.n || list.CatalogList == nil {
			t.Errorf("%+v: %+v", test.in, list.CatalogList)
		}
	}
	w.refused(errOnly(c.GetCatalogs(w.ctx, &glue.GetCatalogsInput{MaxResults: aws.Int32(1001)})), "ValidationException")
	w.refused(errOnly(c.GetCatalogs(w.ctx, &glue.GetCatalogsInput{ParentCatalogId: aws.String("sales")})), "EntityNotFoundException")
	status, err := c.GetCatalogImportStatus(w.ctx, &glue.GetCatalogImportStatusInput{})
	w.must(err)
	if !status.ImportStatus.ImportCompleted {
		t.Error("not imported")
	}
}

func TestEncryptionOfTheCatalogIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	out, err := c.GetDataCatalogEncryptionSettings(w.ctx, &glue.GetDataCatalogEncryptionSettingsInput{})
	w.must(err)
	if s := out.DataCatalogEncryptionSettings; s.EncryptionAtRest.CatalogEncryptionMode != types.CatalogEncryptionModeDisabled || s.ConnectionPasswordEncryption.ReturnConnectionPasswordEncrypted {
		t.Errorf("got %+v", s)
	}
	put := func(at types.CatalogEncryptionMode, password bool) error {
		return errOnly(c.PutDataCatalogEncryptionSettings(w.ctx, &glue.PutDataCatalogEncryptionSettingsInput{DataCatalogEncryptionSettings: &types.DataCatalogEncryptionSettings{
			EncryptionAtRest: &types.EncryptionAtRest{CatalogEncryptionMode: at}, ConnectionPasswordEncryption: &types.ConnectionPasswordEncryption{ReturnConnectionPasswordEncrypted: password},
		}}))
	}
	w.must(put("DISABLED", false))
	w.refused(put("CAT", false), "ValidationException")
	w.refused(put("SSE-KMS", false), "InvalidInputException")
	w.refused(put("SSE-KMS-WITH-SERVICE-ROLE", false), "InvalidInputException")
	w.refused(put("DISABLED", true), "InvalidInputException")
}

func TestCatalogsAskIAM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	calls := map[string]func(*glue.Client, *string) error{
		"GetCatalog": func(c *glue.Client, id *string) error {
			if id == nil {
				id = aws.String(owner)
			}
			return errOnly(c.GetCatalog(w.ctx, &glue.GetCatalogInput{CatalogId: id}))
		},
		"GetCatalogs": func(c *glue.Client, id *string) error {
			return errOnly(c.GetCatalogs(w.ctx, &glue.GetCatalogsInput{ParentCatalogId: id}))
		},
		"GetCatalogImportStatus": func(c *glue.Client, id *string) error {
			return errOnly(c.GetCatalogImportStatus(w.ctx, &glue.GetCatalogImportStatusInput{CatalogId: id}))
		},
		"GetDataCatalogEncryptionSettings": func(c *glue.Client, id *string) error {
			return errOnly(c.GetDataCatalogEncryptionSettings(w.ctx, &glue.GetDataCatalogEncryptionSettingsInput{CatalogId: id}))
		},
		"PutDataCatalogEncryptionSettings": func(c *glue.Client, id *string) error {
			return errOnly(c.PutDataCatalogEncryptionSettings(w.ctx, &glue.PutDataCatalogEncryptionSettingsInput{CatalogId: id, DataCatalogEncryptionSettings: &types.DataCatalogEncryptionSettings{}}))
		},
	}
	for allowed := range calls {
		u := w.as(w.user(owner, allowed, []string{"glue:" + allowed}, []string{"arn:aws:glue:us-east-1:" + owner + ":catalog"}))
		for name, call := range calls {
			if err := call(u, nil); name == allowed {
				w.must(err)
			} else {
				w.refused(err, "AccessDeniedException")
			}
		}
	}
	// Another account's catalog opens by its policy.
	g := w.admin(guest)
	for _, call := range calls {
		w.refused(call(g, aws.String(owner)), "AccessDeniedException")
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + guest + `:root"},"Action":"glue:*","Resource":"arn:aws:glue:us-east-1:` + owner + `:catalog"}]}`
	w.must(errOnly(w.admin(owner).PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy})))
	for name, call := range calls {
		if err := call(g, aws.String(owner)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
