/** Content type of answers that the database has already written as JSON: sent as they are, neither parsed nor printed. */
export const JSON_TEXT = 'application/json; charset=utf-8';
