// Package rowfilter is the language of row filters: the conditions that a data cells
// filter of Lake Formation puts on rows. It reads them, types them against a table,
// prints them in a normal form, evaluates them on a row, and decides which of two lets
// through less. It is pure and asks nobody.
//
// [Read] is the way in: from a text and a table to a [Condition]. [Parse] alone reads
// a text of which the table is not known. What a person decides on should be
// [Condition.String], not the text that somebody else wrote.
//
// # The language
//
// A condition compares columns with constants:
//
//	condition = "TRUE" | or
//	or        = and { "OR" and }
//	and       = not { "AND" not }
//	not       = "NOT" not | "(" or ")" | simple
//	simple    = column ( "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" ) constant
//	          | column [ "NOT" ] "BETWEEN" constant "AND" constant
//	          | column [ "NOT" ] "IN" "(" constant { "," constant } ")"
//	          | column [ "NOT" ] "LIKE" string
//	          | column "IS" [ "NOT" ] "NULL"
//	column    = name { "." name }
//	constant  = string | [ "-" ] digits [ "." digits ] | "TRUE" | "FALSE"
//
// Keywords are read in any case. Strings stand in single quotes. A name that is a keyword
// of PartiQL, or anything but letters, digits and underscores, stands in double quotes.
// There are no functions, no arithmetic, no comparison of columns with columns, and no
// comments. NOT binds closer than AND, and AND closer than OR, as in SQL; what is printed
// has parentheses wherever that matters.
//
// https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html
//
// # Types
//
// Columns of the types STRING, CHAR, VARCHAR, INT, LONG, BIGINT, FLOAT, DECIMAL, DOUBLE and
// BOOLEAN can be compared, and fields of those types within a STRUCT. All others are refused:
// the page names no more, the service answers for timestamps that the type is not supported
// (https://github.com/aws/aws-cli/issues/10397), and arrays and maps are excluded by
// https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html.
// The first page can be read so that one column of another type makes each condition on the
// table an error. The issue has conditions on a table with a timestamp that AWS takes, so a
// table may have such columns here; only a condition that names one is refused.
//
// # What is refused although AWS may take it
//
// Conditions come from one party and are read by another. What could be read in two ways, by
// people or by the engines that enforce it, is refused:
//
//   - A text of 2,048 bytes or more. The guide says shorter than 2,048 characters, the API at
//     most 2,048 bytes.
//   - TRUE as a part of a condition, and FALSE as a condition. The guide has TRUE as a whole.
//   - A column alone, or a constant before the operator. The guide has column, operator, constant.
//   - NULL as a constant: no row is ever let through by it. IS NULL is meant.
//   - A number that does not fit its column: a fraction for an INT, more digits than a DECIMAL has,
//     a FLOAT that is not exactly that. Engines round it, or refuse it, or compare in another type.
//     A DOUBLE is compared with the nearest DOUBLE.
//   - Numbers with an exponent, with a plus, or without a digit beside the point.
//   - Strings that end with a blank: Redshift says that such blanks mean nothing, even in a VARCHAR
//     (https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html), Athena says that they do.
//   - An order with the empty string: where trailing blanks mean nothing, a control character comes before it.
//   - Strings longer than their CHAR or VARCHAR: they can be cut, or match nothing.
//   - ESCAPE, and a backslash in a pattern: an escape for Redshift, a character for Athena.
//   - Patterns for a CHAR that see its padding.
//   - IS NULL of a struct (a struct of nothing but NULLs is NULL for some readers and not for
//     others), and of a partition key, which the guide excludes.
//   - Quoted names that differ from the column's by case alone, and names that mean two columns.
//   - Tables with a column that is named like a system column of Redshift, which data-filtering-notes excludes.
//   - SMALLINT and TINYINT: the guide leaves them out.
//   - In strings and names: what is not seen, blanks that are no space, and characters that look like
//     quotes, such as U+2019: a string would seem to end there. For the same reason a string with an
//     apostrophe in it holds nothing that could be taken for a condition.
//
// # What is bounded
//
// The length of a text, the depth of parentheses, the depth of a struct and of a column's name, and the
// work of [Narrower]. Nothing here takes longer than that for what somebody else wrote.
//
// # Errors
//
// All errors are an [*Error], with the place in the text, and wrap one of [ErrSyntax], [ErrTooLong],
// [ErrColumn], [ErrType] and [ErrTable].
package rowfilter
