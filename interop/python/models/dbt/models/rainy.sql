{{ config(materialized='table', partitioned_by=['location']) }}
select date, weather, location from {{ source('aviation', 'weather') }} where weather = 'rain'
