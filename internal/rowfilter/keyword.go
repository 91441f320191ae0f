package rowfilter

import "strings"

// keywords are the words that PartiQL keeps for itself: a column of such a name needs
// double quotes. Some are only kept by one version of PartiQL; quotes are right in all.
// YEAR and MONTH, words of SQL, stand without quotes in the examples of Lake Formation's guide.
//
// https://partiql.org/assets/PartiQL-Specification.pdf,
// https://github.com/partiql/partiql-lang-kotlin/blob/main/partiql-parser/src/main/antlr/PartiQLTokens.g4
var keywords = words(`
absolute action add all allocate alter and any are as asc assertion at authorization avg
bag begin between bigint bit bit_length blob bool boolean both by
can_cast can_lossless_cast cascade cascaded case cast catalog char char_length character character_length check clob
close coalesce collate collation column commit conflict connect connection constraint constraints continue convert
corresponding count create cross current current_date current_time current_timestamp current_user cursor
date date_add date_diff deallocate dec decimal declare default deferrable deferred delete desc describe descriptor
diagnostics disconnect distinct do domain double drop
else end escape every except exception exclude excluded exec execute exists explain external extract
false fetch first float for foreign found from full get global go goto grant group having
identity immediate in index indicator initially inner input insensitive insert int int2 int4 int8 integer integer2
integer4 integer8 intersect interval into is isolation join key
lag language last lateral lead leading left let level like limit list local lower
match max min missing mod modified module names national natural nchar new next no not nothing null nullif nulls numeric
octet_length of offset old on only open option or order outer output over overlaps overlay
pad partial partition pivot placing position precision prepare preserve primary prior privileges procedure public
read real references relative remove replace restrict returning revoke right rollback row rows
schema scroll section select session session_user set sexp shortest size smallint some space sql sqlcode sqlerror
sqlstate string struct substring sum symbol system_user
table temporary then time timestamp timezone_hour timezone_minute to trailing transaction translate translation trim true tuple
union unique unknown unpivot update upper upsert usage user using
value values varchar varying view when whenever where with work write zone
`)

// systemColumns are Redshift's: a table that has one cannot have a row filter.
//
// https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html
var systemColumns = words("ctid oid xmin cmin xmax cmax tableoid insertxid deletexid importoid redcatuniqueid")

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}
