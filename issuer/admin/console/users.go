package console

import "time"

// user is somebody who may log in, as the API shows it.
type user struct {
	ID          string         `json:"id"`
	Username    string         `json:"username"`
	Email       string         `json:"email"`
	Attributes  map[string]any `json:"attributes"`
	IsActive    bool           `json:"is_active"`
	IsStaff     bool           `json:"is_staff"`
	IsSuperuser bool           `json:"is_superuser"`
	CreatedAt   time.Time      `json:"created_at"`
	LastLogin   *time.Time     `json:"last_login"`
}
