package lakeformation_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
)

func TestSelectIsListedAsARowOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), someone, table("orders"), "SELECT ALTER | ALTER"))
	w.must(w.grant(adminOf(owner), someone, allTables(), "SELECT DESCRIBE"))
	want := []string{
		"Someone:columns/ALL_TABLES/*-:SELECT", "Someone:columns/orders/*-:SELECT",
		"Someone:table/ALL_TABLES:DESCRIBE", "Someone:table/orders:ALTER|ALTER",
	}
	if diff := cmp.Diff(want, w.ownRows(someone)); diff != "" {
		t.Error(diff)
	}
	// What was listed can be revoked as it was listed.
	w.must(w.revoke(adminOf(owner), someone, &types.Resource{TableWithColumns: &types.TableWithColumnsResource{
		DatabaseName: aws.String("sales"), Name: aws.String("orders"), ColumnWildcard: &types.ColumnWildcard{},
	}}, "SELECT"))
	w.must(w.revoke(adminOf(owner), someone, &types.Resource{Table: &types.TableResource{
		DatabaseName: aws.String("sales"), Name: aws.String("ALL_TABLES"), TableWildcard: &types.TableWildcard{},
	}}, "SELECT"))
	if diff := cmp.Diff([]string{"Someone:table/ALL_TABLES:DESCRIBE", "Someone:table/orders:ALTER|ALTER"}, w.ownRows(someone)); diff != "" {
		t.Error(diff)
	}
}

func TestAPrincipalAndAResourceListWhatIsEffective(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.must(w.grant(admin, someone, allTables(), "INSERT"))
	w.must(w.grant(admin, someone, table("orders"), "SELECT"))
	got := w.rows(admin, &lakeformation.ListPermissionsInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &someone}, Resource: table("orders"),
	})
	if diff := cmp.Diff([]string{"Someone:columns/orders/*-:SELECT", "Someone:table/ALL_TABLES:INSERT"}, got); diff != "" {
		t.Error(diff)
	}
	explicit := w.rows(admin, &lakeformation.ListPermissionsInput{Resource: table("items")})
	want := []string{"Admin:columns/items/*-:SELECT|SELECT", "Admin:table/items:ALL,ALTER,DELETE,DESCRIBE,DROP,INSERT|ALL,ALTER,DELETE,DESCRIBE,DROP,INSERT"}
	if diff := cmp.Diff(want, explicit); diff != "" {
		t.Error(diff)
	}
}

func TestListingsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	who := &types.DataLakePrincipal{DataLakePrincipalIdentifier: &someone}
	tests := map[string]struct {
		in    lakeformation.ListPermissionsInput
		code  string
		words string
	}{
		"a principal alone":           {lakeformation.ListPermissionsInput{Principal: who}, "InvalidInputException", "Resource is mandatory if Principal is set in the input."},
		"a table with columns":        {lakeformation.ListPermissionsInput{Resource: columns("orders", "id")}, "InvalidInputException", "table"},
		"a table that is not there":   {lakeformation.ListPermissionsInput{Resource: table("none")}, "EntityNotFoundException", "none"},
		"a page too large":            {lakeformation.ListPermissionsInput{MaxResults: aws.Int32(1001)}, "InvalidInputException", "MaxResults"},
		"an empty page":               {lakeformation.ListPermissionsInput{MaxResults: aws.Int32(0)}, "InvalidInputException", "MaxResults"},
		"a token of another kind":     {lakeformation.ListPermissionsInput{NextToken: aws.String("!!")}, "InvalidInputException", "token"},
		"an unknown type":             {lakeformation.ListPermissionsInput{ResourceType: "VIEW"}, "InvalidInputException", "VIEW"},
		"filters of one principal":    {lakeformation.ListPermissionsInput{Principal: who, Resource: table("orders"), IncludeRelated: aws.String("TRUE")}, "InvalidInputException", "Principal"},
		"a catalog that is no number": {lakeformation.ListPermissionsInput{CatalogId: aws.String("abc")}, "InvalidInputException", "abc"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := *w
			v.TB = t
			_, err := v.lake(adminOf(owner)).ListPermissions(v.ctx, &tt.in)
			v.refused(err, tt.code, tt.words)
		})
	}
}

func TestPagesListEveryRowOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"A", "B", "C"} {
		w.must(w.grant(adminOf(owner), w.person(owner, name), table("orders"), "SELECT INSERT"))
	}
	for _, in := range []lakeformation.ListPermissionsInput{{}, {Resource: table("orders")}, {ResourceType: types.DataLakeResourceTypeTable}} {
		all := in
		all.MaxResults = aws.Int32(1000)
		want := w.rows(adminOf(owner), &all)
		for size := range int32(4) {
			paged := in
			paged.MaxResults = aws.Int32(size + 1)
			if diff := cmp.Diff(want, w.rows(adminOf(owner), &paged)); diff != "" {
				t.Errorf("pages of %d: %s", size+1, diff)
			}
		}
	}
}

func TestOthersGrantsAreShownAsFarAsOneHoldsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone, other := adminOf(owner), w.person(owner, "Someone"), w.person(owner, "Other")
	w.must(w.grant(admin, other, table("orders"), "ALTER DROP"))
	in := func() *lakeformation.ListPermissionsInput {
		return &lakeformation.ListPermissionsInput{Resource: table("orders")}
	}
	if rows := w.rows(someone, in()); len(rows) > 0 {
		t.Errorf("somebody without a permission sees %v", rows)
	}
	w.must(w.grant(admin, someone, table("orders"), "ALTER"))
	want := []string{"Admin:table/orders:ALTER,DESCRIBE|ALTER,DESCRIBE", "Other:table/orders:ALTER", "Someone:table/orders:ALTER"}
	if diff := cmp.Diff(want, w.rows(someone, in())); diff != "" {
		t.Error(diff)
	}
}

func TestAnAccountDoesNotSeeWhatAnotherHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT | SELECT"))
	foreign := &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}
	if rows := w.rows(adminOf(recipient), foreign); len(rows) > 0 {
		t.Errorf("before acceptance the recipient sees %v", rows)
	}
	w.accept(recipient)
	w.must(w.grant(adminOf(recipient), analyst, table("orders"), "SELECT"))
	if diff := cmp.Diff([]string{recipient + ":columns/orders/*-:SELECT|SELECT", "Analyst:columns/orders/*-:SELECT"}, w.rows(adminOf(recipient), foreign)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Analyst:columns/orders/*-:SELECT"}, w.rows(analyst, foreign)); diff != "" {
		t.Error(diff)
	}
	for _, row := range w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: table("orders")}) {
		if row == "Analyst:columns/orders/*-:SELECT" {
			t.Error("the owner sees what the recipient handed on")
		}
	}
	if rows := w.rows(adminOf(stranger), foreign); len(rows) > 0 {
		t.Errorf("a stranger sees %v", rows)
	}
}

func TestRowsNameTheSharesThatCarryThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT INSERT"))
	w.must(w.grant(adminOf(owner), someone, table("orders"), "SELECT"))
	out, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{Resource: table("orders")})
	w.must(err)
	share := *w.shares()[0].ResourceShareArn
	for _, r := range out.PrincipalResourcePermissions {
		if *r.Principal.DataLakePrincipalIdentifier != recipient {
			if r.AdditionalDetails != nil {
				t.Errorf("a grant inside the account has a share: %s", pretty(r))
			}
			continue
		}
		if r.AdditionalDetails == nil || len(r.AdditionalDetails.ResourceShare) != 1 || r.AdditionalDetails.ResourceShare[0] != share {
			t.Errorf("row lacks the share %s: %s", share, pretty(r))
		}
		if r.LastUpdated == nil || aws.ToString(r.LastUpdatedBy) != adminOf(owner) {
			t.Errorf("row does not say who made it when: %s", pretty(r))
		}
	}
}

func TestTheCatalogBeginsWithOneGrantThatCanBeRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	catalog := &types.Resource{Catalog: &types.CatalogResource{}}
	in := &lakeformation.ListPermissionsInput{Resource: catalog}
	if diff := cmp.Diff([]string{"IAM_ALLOWED_PRINCIPALS:catalog:CREATE_DATABASE"}, w.rows(adminOf(owner), in)); diff != "" {
		t.Error(diff)
	}
	w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", catalog, "CREATE_DATABASE"))
	if rows := w.rows(adminOf(owner), in); len(rows) > 0 {
		t.Errorf("left: %v", rows)
	}
}

func TestPermissionsAtAPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), someone, table("orders"), "SELECT"))
	w.must(w.grant(adminOf(owner), someone, location("lake/sales"), "DATA_LOCATION_ACCESS"))
	ask := func(arn string) ([]string, error) {
		out, err := w.lake(adminOf(owner)).GetEffectivePermissionsForPath(w.ctx, &lakeformation.GetEffectivePermissionsForPathInput{ResourceArn: &arn})
		if err != nil {
			return nil, err
		}
		var rows []string
		for _, r := range out.Permissions {
			if s := short(r); s[:2] == "So" {
				rows = append(rows, s)
			}
		}
		return rows, nil
	}
	rows, err := ask("arn:aws:s3:::lake/sales/orders")
	w.must(err)
	if diff := cmp.Diff([]string{"Someone:arn:aws:s3:::lake/sales:DATA_LOCATION_ACCESS", "Someone:columns/orders/*-:SELECT"}, rows); diff != "" {
		t.Error(diff)
	}
	_, err = ask("arn:aws:s3:::elsewhere/x")
	w.refused(err, "EntityNotFoundException")
}
