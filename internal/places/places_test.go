package places_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
)

const symlink = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"

func TestATableHasPlaces(t *testing.T) {
	t.Parallel()
	iceberg := func(more ...string) map[string]string {
		parameters := map[string]string{"table_type": "iceberg"}
		for i := 0; i < len(more); i += 2 {
			parameters[more[i]] = more[i+1]
		}
		return parameters
	}
	serde := func(path string) *types.SerDeInfo {
		return &types.SerDeInfo{Parameters: map[string]string{"path": path}}
	}
	at := func(location string) types.StorageDescriptor {
		return types.StorageDescriptor{Location: aws.String(location)}
	}
	for name, c := range map[string]struct {
		descriptor types.StorageDescriptor
		parameters map[string]string
		partitions []string
		// want are the places and what names each, unknown what is not told.
		want    map[string]places.From
		unknown []places.From
	}{
		"nothing":                     {},
		"a location":                  {descriptor: at("s3://b/t"), want: map[string]places.From{"s3://b/t/": places.Location}},
		"another scheme":              {descriptor: at("s3a://b/t/"), want: map[string]places.From{"s3://b/t/": places.Location}},
		"two slashes":                 {descriptor: at("s3n://b//t//"), want: map[string]places.From{"s3://b//t//": places.Location}},
		"not S3":                      {descriptor: at("hdfs://b/t/"), unknown: []places.From{places.Location}},
		"a file":                      {descriptor: at("s3://b/t/rows.csv"), want: map[string]places.From{"s3://b/t/rows.csv": places.Location, "s3://b/t/rows.csv/": places.Location}},
		"a packed file":               {descriptor: at("s3://b/rows.JSON.GZ"), want: map[string]places.From{"s3://b/rows.JSON.GZ": places.Location, "s3://b/rows.JSON.GZ/": places.Location}},
		"a folder like a file":        {descriptor: at("s3://b/rows.csv/"), want: map[string]places.From{"s3://b/rows.csv/": places.Location}},
		"a version":                   {descriptor: at("s3://b/v1.2"), want: map[string]places.From{"s3://b/v1.2/": places.Location}},
		"partitions below":            {descriptor: at("s3://b/t/"), partitions: []string{"s3://b/t/p=1", "", "s3a://b/t/p=2/"}, want: map[string]places.From{"s3://b/t/": places.Location}},
		"partitions elsewhere":        {descriptor: at("s3://b/t/"), partitions: []string{"s3://b/t/p=1", "s3://b/old/p=2", "s3://c/p=3/", "s3://b/t2/"}, want: map[string]places.From{"s3://b/t/": places.Location, "s3://b/old/p=2/": places.Partition, "s3://c/p=3/": places.Partition, "s3://b/t2/": places.Partition}},
		"a partition above others":    {descriptor: at("s3://b/t/"), partitions: []string{"s3://b/old/p=2", "s3://b/old"}, want: map[string]places.From{"s3://b/t/": places.Location, "s3://b/old/": places.Partition}},
		"a partition above the table": {descriptor: at("s3://b/t/"), partitions: []string{"s3://b/"}, want: map[string]places.From{"s3://b/t/": places.Location, "s3://b/": places.Partition}},
		"a partition not in S3":       {descriptor: at("s3://b/t/"), partitions: []string{"hdfs://p"}, want: map[string]places.From{"s3://b/t/": places.Location}, unknown: []places.From{places.Partition}},
		"manifests and where they lead": {descriptor: types.StorageDescriptor{Location: aws.String("s3://b/m/"), InputFormat: aws.String(symlink), AdditionalLocations: []string{"s3://c/data", "s3://b/m/x/"}},
			want: map[string]places.From{"s3://b/m/": places.Location, "s3://c/data/": places.Additional}},
		"a file besides": {descriptor: types.StorageDescriptor{Location: aws.String("s3://b/m/"), AdditionalLocations: []string{"s3://c/x.parquet"}},
			want: map[string]places.From{"s3://b/m/": places.Location, "s3://c/x.parquet": places.Additional, "s3://c/x.parquet/": places.Additional}},
		"manifests alone": {descriptor: types.StorageDescriptor{Location: aws.String("s3://b/m/"), InputFormat: aws.String(symlink)},
			want: map[string]places.From{"s3://b/m/": places.Location}, unknown: []places.From{places.Manifests}},
		"a placeholder": {descriptor: types.StorageDescriptor{Location: aws.String("s3://b/t-__PLACEHOLDER__"), SerdeInfo: serde("s3a://c/t")},
			want: map[string]places.From{"s3://c/t/": places.SerdePath}},
		"a placeholder alone": {descriptor: at("file:/x/t-__PLACEHOLDER__"), unknown: []places.From{places.Location}},
		"a table of Spark": {descriptor: types.StorageDescriptor{Location: aws.String("s3://b/warehouse/"), SerdeInfo: serde("s3://c/t")},
			parameters: map[string]string{"spark.sql.sources.provider": "delta"}, want: map[string]places.From{"s3://b/warehouse/": places.Location, "s3://c/t/": places.SerdePath}},
		"a path that nobody reads":  {descriptor: types.StorageDescriptor{Location: aws.String("s3://b/t/"), SerdeInfo: serde("s3://c/t")}, want: map[string]places.From{"s3://b/t/": places.Location}},
		"projected elsewhere":       {descriptor: at("s3://b/t/"), parameters: map[string]string{"projection.enabled": "true", "storage.location.template": "s3://c/x/${year}/${month}"}, want: map[string]places.From{"s3://b/t/": places.Location, "s3://c/x/": places.Template}},
		"projected within a name":   {descriptor: at("s3://b/t/"), parameters: map[string]string{"storage.location.template": "s3://c/x/y=${year}"}, want: map[string]places.From{"s3://b/t/": places.Location, "s3://c/x/": places.Template}},
		"projected below":           {descriptor: at("s3://b/t/"), parameters: map[string]string{"storage.location.template": "s3://b/t/y=${year}"}, want: map[string]places.From{"s3://b/t/": places.Location}},
		"projected anywhere":        {descriptor: at("s3://b/t/"), parameters: map[string]string{"storage.location.template": "s3://c/${year}/"}, want: map[string]places.From{"s3://b/t/": places.Location}, unknown: []places.From{places.Template}},
		"projected into any bucket": {descriptor: at("s3://b/t/"), parameters: map[string]string{"storage.location.template": "s3://c-${year}/"}, want: map[string]places.From{"s3://b/t/": places.Location}, unknown: []places.From{places.Template}},
		"projected without a variable": {descriptor: at("s3://b/t/"), parameters: map[string]string{"storage.location.template": "s3://c/x"},
			want: map[string]places.From{"s3://b/t/": places.Location, "s3://c/x/": places.Template}},
		"not projected": {descriptor: at("s3://b/t/"), parameters: map[string]string{"projection.enabled": "false", "storage.location.template": "s3://c/x/${year}"}, want: map[string]places.From{"s3://b/t/": places.Location}},
		"Iceberg":       {descriptor: at("s3://b/t"), parameters: iceberg("metadata_location", "s3://b/t/metadata/1.json", "write.data.path", "s3://b/t/data"), want: map[string]places.From{"s3://b/t/": places.Location}},
		"Iceberg everywhere": {descriptor: at("s3://b/t"),
			parameters: iceberg("metadata_location", "s3://c/m/1.metadata.json", "write.data.path", "s3://d/1", "write.object-storage.path", "s3://d/2", "write.folder-storage.path", "s3://d/3", "write.metadata.path", "s3://d/4"),
			want: map[string]places.From{"s3://b/t/": places.Location, "s3://c/m/": places.Metadata, "s3://d/1/": "write.data.path", "s3://d/2/": "write.object-storage.path",
				"s3://d/3/": "write.folder-storage.path", "s3://d/4/": "write.metadata.path"}},
		"Iceberg's own program":      {descriptor: at("s3://b/t"), parameters: iceberg("write.location-provider.impl", "com.example.Places"), want: map[string]places.From{"s3://b/t/": places.Location}, unknown: []places.From{places.Provider}},
		"Iceberg without a location": {parameters: iceberg("metadata_location", "s3://c/m/1.metadata.json"), want: map[string]places.From{"s3://c/m/": places.Metadata}},
		"not Iceberg":                {descriptor: at("s3://b/t"), parameters: map[string]string{"write.data.path": "s3://d/1"}, want: map[string]places.From{"s3://b/t/": places.Location}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := places.Of(&c.descriptor, c.parameters)
			for _, location := range c.partitions {
				table.AddPartition(&types.Partition{StorageDescriptor: &types.StorageDescriptor{Location: aws.String(location)}})
			}
			var got map[string]places.From
			var unknown []places.From
			for _, p := range table.Places {
				if got == nil {
					got = map[string]places.From{}
				}
				got[p.String()] = p.From
			}
			for _, u := range table.Unknown {
				unknown = append(unknown, u.From)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.unknown, unknown); diff != "" {
				t.Errorf("not told (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is named: no place is wider than what is written, but for a template's, and
// all partitions lie in the table's places, which do not lie in each other.
func TestPlacesProperties(t *testing.T) {
	t.Parallel()
	location := rapid.SampledFrom([]string{"s3://b/", "s3://b//", "s3://b/a", "s3://b/a/", "s3://b/a/b", "s3a://b/a/b/c.csv", "s3n://c/a//b", "s3://b/ab", "s3://c/x.parquet"})
	rapid.Check(t, func(t *rapid.T) {
		table := places.Of(&types.StorageDescriptor{Location: aws.String(location.Draw(t, "location")), AdditionalLocations: rapid.SliceOfN(location, 0, 3).Draw(t, "additional")}, nil)
		partitions := rapid.SliceOfN(location, 0, 5).Draw(t, "partitions")
		for _, at := range partitions {
			table.AddPartition(&types.Partition{StorageDescriptor: &types.StorageDescriptor{Location: aws.String(at)}})
		}
		for _, at := range partitions {
			if p, ok := storage.ParsePlace(at); !ok || !table.Covers(p) {
				t.Fatalf("partition %s is in none of %v", at, table.Places)
			}
		}
		for i, p := range table.Places {
			named, ok := storage.ParsePlace(p.Written)
			if !ok || !named.Covers(p.Place) && named.Prefix != p.Prefix+"/" {
				t.Fatalf("%s is wider than %s", p, p.Written)
			}
			for j, other := range table.Places {
				if i != j && other.From != places.Location && p.Covers(other.Place) {
					t.Fatalf("%s lies in %s", other, p)
				}
			}
		}
	})
}
