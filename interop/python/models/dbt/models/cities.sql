{{ config(materialized='view') }}
select location, count(*) as days from {{ source('aviation', 'weather') }} group by location
