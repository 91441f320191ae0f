package athena

// iceberg finds the files of an Iceberg table's current snapshot.
func (t *table) iceberg(*reader) ([]file, error) {
	return nil, lacking("reading Iceberg tables (%s)", t.reading.Table.Name)
}
