-- The temperature at an airport of New York, from the weather six hours earlier.
SELECT
    weather.origin,
    weather.time_hour,
    weather.temp AS temperature,
    weather.origin AS airport,
    weather.hour AS hour_of_day,
    weather.month AS month_of_year,
    before.temp AS temperature_before,
    before.dewp AS dew_point_before,
    before.pressure AS pressure_before,
    before.wind_dir AS wind_direction_before,
    before.wind_speed AS wind_speed_before,
    before.visib AS visibility_before
FROM weather
ASOF LEFT JOIN weather AS before
    ON weather.origin = before.origin AND weather.time_hour - INTERVAL 6 HOURS >= before.time_hour
