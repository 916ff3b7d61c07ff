DROP TABLE import_rejections;
DROP TABLE import_keys;
DROP TABLE imports;
