{{ config(materialized='table') }}
select weather, count(*) as days, min(date) as first_day, max(date) as last_day
from {{ source('aviation', 'weather') }}
group by weather
