-- Where the wind will come from at an airport of New York, from the weather six hours earlier.
SELECT
    weather.origin,
    weather.time_hour,
    CASE
        WHEN weather.wind_dir IS NULL THEN NULL
        WHEN weather.wind_dir >= 315 OR weather.wind_dir < 45 THEN 'north'
        WHEN weather.wind_dir < 135 THEN 'east'
        WHEN weather.wind_dir < 225 THEN 'south'
        ELSE 'west'
    END AS wind_from,
    weather.origin AS airport,
    weather.hour AS hour_of_day,
    before.wind_dir AS wind_direction_before,
    before.wind_speed AS wind_speed_before,
    before.temp AS temperature_before,
    before.dewp AS dew_point_before,
    before.pressure AS pressure_before,
    before.visib AS visibility_before
FROM weather
ASOF LEFT JOIN weather AS before
    ON weather.origin = before.origin AND weather.time_hour - INTERVAL 6 HOURS >= before.time_hour
