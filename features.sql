-- One row per scheduled flight: its identity (time and key), the label, and what is known when the day is planned.
-- The weather is the last observation at the origin at least six hours before departure.
SELECT
    flights.time_hour,
    flights.carrier,
    flights.flight,
    flights.arr_delay >= 15 AS late,

    flights.origin,
    flights.carrier AS airline,
    flights.dest AS destination,
    flights.distance,
    flights.sched_dep_time // 100 * 60 + flights.sched_dep_time % 100 AS departure_minute,
    flights.sched_arr_time // 100 * 60 + flights.sched_arr_time % 100 AS arrival_minute,
    isodow(make_date(flights.year, flights.month, flights.day)) AS weekday,

    weather.temp AS temperature,
    weather.dewp AS dew_point,
    weather.humid AS humidity,
    weather.wind_dir AS wind_direction,
    weather.wind_speed,
    weather.precip AS precipitation,
    weather.pressure,
    weather.visib AS visibility,

    planes.manufacturer,
    planes.seats,
    flights.year - planes.year AS aircraft_age
FROM flights
ASOF LEFT JOIN weather
    ON flights.origin = weather.origin AND flights.time_hour - INTERVAL 6 HOURS >= weather.time_hour
LEFT JOIN planes ON flights.tailnum = planes.tailnum
