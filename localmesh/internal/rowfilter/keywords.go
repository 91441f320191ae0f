package rowfilter

import "strings"

// keywords are PartiQL's reserved words (https://partiql.org/assets/PartiQL-Specification.pdf),
// which are names of columns in double quotes only. YEAR and MONTH are not among them: they
// stand without quotes in the examples of Lake Formation's guide
// (https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html).
var keywords = strings.Fields(`
absolute action add all allocate alter and any are as asc assertion at authorization avg bag begin between bit
bit_length blob bool boolean both by can_cast can_lossless_cast cascade cascaded case cast catalog char char_length
character character_length check clob close coalesce collate collation column commit connect connection constraint
constraints continue convert corresponding count create cross current current_date current_time current_timestamp
current_user cursor date date_add date_diff day deallocate dec decimal declare default deferrable deferred delete desc
describe descriptor diagnostics disconnect distinct domain double drop else end escape except exception exec execute
exists external extract false fetch first float for foreign found from full get global go goto grant group having hour
identity immediate in indicator index initially inner input insensitive insert int integer intersect interval into is
isolation join key language last leading left level like limit list local lower match max min minute missing module
names national natural nchar next no not null nullif numeric octet_length of on only open option or order outer
output overlaps pad partial pivot position precision prepare preserve primary prior privileges procedure public read
real references relative remove restrict revoke right rollback rows schema scroll second section select session
session_user set sexp size smallint some space sql sqlcode sqlerror sqlstate string struct substring sum symbol
system_user table temporary then time timestamp timezone_hour timezone_minute to to_string to_timestamp trailing
transaction translate translation trim true tuple undefined union unique unknown unpivot update upper usage user using
utcnow value values varchar varying view when whenever where with work write zone`)
