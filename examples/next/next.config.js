/** The API has paths that end with a slash, such as /v1/spaces/: Next would redirect them. */
export default { skipTrailingSlashRedirect: true, compress: false };
